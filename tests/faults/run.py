"""Processes that end and disks that lose power, wherever it hurts: what is left is judged, and violations are counted.

    run.py [--short] --program SFT_DIST --checkpoints FAULTS_CHECKPOINTS --kill-at FAULTS_KILL_AT [--only PART...]

Parts: saves (every change of files in a save by four ranks), commands (the same of train, export, prepare and the table
of a sweep, as a user starts them), resumes (from 1 to 4 ranks to 1 to 4), power (cuts on an ext4 image; as root alone),
signals (to predict and evaluate; --starts says how many, --seed which).
The short form looks at a few of each.
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time

import commands
import power
import resumes
import saves
import signals

PARTS = {"saves": saves, "commands": commands, "power": power, "resumes": resumes, "signals": signals}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--checkpoints", type=pathlib.Path)
    parser.add_argument("--kill-at", type=pathlib.Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--starts", type=int)
    parser.add_argument("--seed", type=int, default=18)
    asked = parser.parse_args()
    if set(asked.only) - {"signals"} and not (asked.checkpoints and asked.kill_at):
        parser.error("only signals need neither --checkpoints nor --kill-at")
    os.environ["SFT_DIST"] = str(asked.program)
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "HF_HUB_OFFLINE"):
        os.environ.setdefault(name, "1")
    found = []
    for name in asked.only:
        start = time.time()
        with tempfile.TemporaryDirectory(prefix=f"sft-faults-{name}-", dir="/dev/shm" if name == "saves" else None) as folder:
            for what, trials, violations in PARTS[name].run(asked, pathlib.Path(folder)):
                print(f"{what}: {trials} trials, {len(violations)} violations, {time.time() - start:.0f} s", flush=True)
                print("".join(f"    {wrong}\n" for wrong in violations), end="", flush=True)
                found += violations
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
