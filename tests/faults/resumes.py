"""A run on 1 to 4 ranks that is ended in the middle and goes on on 1 to 4: its losses are those of an undisturbed one."""
import json
import os
import shutil
import subprocess

from commands import Stage


def losses(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def run(asked, folder):
    stage = Stage(asked, folder)
    stage.config.write_text(stage.config.read_text().replace("deterministic = true\n", "").replace("[model]\n", "[model]\ndtype = \"float64\"\n").replace("[log]\n", "[log]\nlogging_steps = 1\n"))
    stage.succeed("train", stage.config)
    wanted = losses(stage.out / "run")
    violations, pairs = [], [(2, 1)] if asked.short else [(before, behind) for before in (1, 2, 3, 4) for behind in (1, 2, 3, 4)]
    stopped = {}
    for before in sorted({pair[0] for pair in pairs}):
        shutil.rmtree(stage.out / "run")
        subprocess.run([str(word) for word in stage.command("train", stage.config, ranks=before)], capture_output=True, timeout=300,
                       env={**os.environ, "SFT_FAILPOINTS": f"rank={before - 1};trainer.step@5=kill"})
        stopped[before] = folder / f"stopped-{before}"
        shutil.copytree(stage.out / "run", stopped[before])
    for before, behind in pairs:
        shutil.rmtree(stage.out / "run")
        shutil.copytree(stopped[before], stage.out / "run")
        done = stage.succeed("train", stage.config, ranks=behind)
        if "resumed from" not in done.stderr:
            violations.append(f"{before} → {behind} ranks: began anew")
        found = losses(stage.out / "run")
        if found.keys() != wanted.keys():
            violations.append(f"{before} → {behind} ranks: losses of updates {sorted(found)}, and {sorted(wanted)} were wanted")
        for step in found.keys() & wanted.keys():
            loss = found[step]
            if not abs(loss - wanted[step]) <= 1e-11:
                violations.append(f"{before} → {behind} ranks: the loss of update {step} is {loss}, and was {wanted[step]}")
    yield "resumes from " + ("2 ranks to 1" if asked.short else "1, 2, 3, 4 to 1, 2, 3, 4 ranks"), len(pairs), violations
