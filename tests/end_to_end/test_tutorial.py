"""docs/tutorial.md, followed from its first command to its last: what stands in sh and python blocks is run, in order, beside the files that toml blocks name."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from harness import PROGRAM, EndToEnd, make_rows, write_rows

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/tutorial.md"


def blocks(page):
    """Language and lines of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, re.M | re.S)


class Tutorial(EndToEnd):
    def test_its_commands_do_what_it_says(self):
        (self.home / "models").mkdir()
        (self.home / "models/minilm").symlink_to(self.shared / "model")
        write_rows(self.home / "tickets.jsonl", make_rows(300, seed=5))
        environment = {**os.environ, "PATH": f"{pathlib.Path(PROGRAM).resolve().parent}:{os.environ['PATH']}", "OMPI_MCA_rmaps_base_oversubscribe": "1",
                       "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        told, ran = "", 0
        for language, text in blocks(PAGE.read_text()):
            if language == "toml":
                (self.home / re.match(r"# (\S+)\n", text)[1]).write_text(text)
            if language in ("sh", "python"):
                words = ["bash", "-euo", "pipefail", "-c", text] if language == "sh" else [sys.executable, "-c", text]
                done = subprocess.run(words, cwd=self.home, env=environment, capture_output=True, text=True, timeout=300)
                self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}{done.stderr}")
                told, ran = told + done.stdout + done.stderr, ran + 1
        self.assertGreaterEqual(ran, 7)
        for promised in ("updates     ", "memory      ", "disk        ", "mean", "suggest", "'score'"):
            self.assertIn(promised, told)
        # The rows held back are those of the training: the same score of the same model.
        self.assertAlmostEqual(float(re.search(r'"eval_f1": ([\d.]+)', told)[1]), json.loads((self.home / "runs/first/summary.json").read_text())["best_metric"], places=12)
        for left in ("runs/first/report.html", "runs/first/model/config.json", "runs/sweep/sweep.csv", "predictions.csv"):
            self.assertTrue((self.home / left).exists(), left)

    def test_its_links_lead_somewhere(self):
        root = PAGE.parents[1]
        for page in [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md")), root / "slurm/README.md"]:
            for link in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text()):
                self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")


if __name__ == "__main__":
    unittest.main()
