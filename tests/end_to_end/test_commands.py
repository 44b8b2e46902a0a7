"""Whole commands of README and docs/ that the tutorial's test does not run: each is run as it stands, in a folder with the config, the rows and the finished run that the pages speak of."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from harness import PROGRAM, EndToEnd, make_rows, write_rows
from test_pages import ROOT, lines_of_code
from test_tutorial import PAGE, blocks

# A command of ours with all it needs, before whatever launcher: no name in capitals, no choice, nothing left out.
WHOLE = re.compile(r"^(?:[A-Z_]+=\S+ )?(?:\S*restart\.sh )?(?:mpirun (?:--mca \S+ \S+ )?-np \d+ )?(?:build/)?sft-dist [^…|\[]*$")
PLACEHOLDER = re.compile(r"(?<![\w-])[A-Z][A-Z_]+(?![\w=])")
KNOWN = {"run.toml", "sweep.toml", "runs/first", "doctor", "init", "help"}


def whole_commands():
    """In the order of the pages, each once."""
    found = {}
    for page, line in lines_of_code():
        command = line.strip()
        if WHOLE.match(command) and not PLACEHOLDER.search(command) and KNOWN & set(command.split()):
            found.setdefault(command, page.name)
    in_blocks = {line.split("  #")[0].strip() for language, text in blocks(PAGE.read_text()) if language == "sh" for line in text.splitlines()}
    return {command: page for command, page in found.items() if command not in in_blocks}


class Commands(EndToEnd):
    def setUp(self):
        super().setUp()
        (self.home / "models").mkdir()
        (self.home / "models/minilm").symlink_to(self.shared / "model")
        (self.home / "build").symlink_to(pathlib.Path(PROGRAM).resolve().parent)
        (self.home / "tools").symlink_to(ROOT / "tools")
        (self.home / "share/sft-dist").mkdir(parents=True)
        (self.home / "share/sft-dist/mpi").symlink_to(ROOT / "comm/mpi/library")
        write_rows(self.home / "tickets.jsonl", make_rows(120, seed=5))
        write_rows(self.home / "new.jsonl", make_rows(9, seed=6))
        (self.home / "docs").mkdir()
        self.write_configs()
        self.run_here("sft-dist run.toml")

    def write_configs(self):
        for language, text in blocks(PAGE.read_text()):
            if language == "toml":
                (self.home / re.match(r"# (\S+)\n", text)[1]).write_text(text)

    def run_here(self, command, *words):
        environment = {**os.environ, "PATH": f"{self.home}/build:{os.environ['PATH']}", "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        done = subprocess.run(words or ["bash", "-euo", "pipefail", "-c", command], cwd=self.home, env=environment, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def test_each_does_its_work(self):
        commands, narrow = whole_commands(), "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text()
        for command, page in commands.items():
            trains = "sft-dist run.toml" in command
            if trains:  # as if for the first time
                (self.home / "runs").rename(self.home / "runs-before")
            with self.subTest(command=command, page=page):
                if "bfloat16" in command and not narrow:
                    self.skipTest("this processor has no products in bfloat16")
                self.run_here(command)
                self.assertTrue(not trains or (self.home / "runs/first/model/config.json").exists())
            if trains:
                shutil.rmtree(self.home / "runs", ignore_errors=True)
                (self.home / "runs-before").rename(self.home / "runs")
            self.write_configs()
        self.assertGreaterEqual(len(commands), 12, list(commands))

    def test_the_graph_runs_as_the_page_says(self):
        page = (ROOT / "docs/results.md").read_text()
        self.run_here("sft-dist export runs/first --onnx ticket-onnx")
        [text] = [text for language, text in blocks(page) if language == "python" and "onnxruntime" in text]
        self.run_here(text, sys.executable, "-c", text + "\nassert logits.shape == (2, 3), logits.shape")

    def test_the_part_for_another_mpi_is_compiled_and_opened(self):
        [text] = [text for language, text in blocks((ROOT / "docs/install.md").read_text()) if language == "sh" and "mpicc" in text]
        self.run_here(text)
        doctor = "SFT_MPI=$PWD/libsft_mpi.so mpirun -np 2 sft-dist doctor"
        self.assertRegex(self.run_here(doctor), r"(?m)^ranks +2 \(mpi\)$")
        (self.home / "libsft_mpi.so").unlink()
        with self.assertRaisesRegex(AssertionError, "libsft_mpi.so"):
            self.run_here(doctor)


if __name__ == "__main__":
    unittest.main()
