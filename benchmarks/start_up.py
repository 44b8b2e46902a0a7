#!/usr/bin/env python3
"""From exec to the first update, and the files opened and looked for on the way: ours and transformers' Trainer, alternating.

    .deps/venv/bin/python benchmarks/start_up.py > benchmarks/start_up.txt

64 one-line texts, one epoch, 2 ranks. Times are of runs without strace, the files of all processes of a whole run under it. Ours is shown with rows that are
tokenized at the start, and with the shards of an earlier run.
"""
import re
import shutil
import statistics
import tempfile

import common

CALLS = ["openat", "newfstatat", "read", "mmap"]
PEER = ["--train", "demo/data/short_train.jsonl", "--test", "demo/data/short_test.jsonl", "--epochs", 1, "--learning-rate", 2e-4, "--rows", 64]
OURS = ["data.max_train_samples=64", "data.max_eval_samples=64", "train.num_train_epochs=1"]


def ours(prepared):
    shards = common.ROOT / "runs/bench/.prepared-start-up"
    if not prepared:
        shutil.rmtree(shards, ignore_errors=True)
    return common.Run("start-up", "bert_text_classification", *OURS, f"data.prepared_dir={shards}").summary["first_step_seconds"]


def counted(command):
    """Calls by name over all processes, as strace -c tells them."""
    with tempfile.NamedTemporaryFile("r") as table:
        common.call(["strace", "-f", "-c", "-o", table.name, *command])
        rows = [re.split(r"\s+", line.strip()) for line in table]
    counts = {row[-1]: int(row[3]) for row in rows if len(row) >= 5 and row[3].isdigit()}
    return {name: counts.get(name, 0) for name in CALLS}


def main():
    print(f"{common.machine()}; {common.versions()}\n")
    modes = {"Trainer": lambda: common.trainer(*PEER, threads=1)["first_step_seconds"], "sft-dist": lambda: ours(False), "sft-dist, prepared": lambda: ours(True)}
    seconds = {name: [] for name in modes}
    for _ in range(5):
        for name, run in modes.items():
            seconds[name].append(run())
    run = common.ROOT / "runs/bench/start-up-traced"
    shutil.rmtree(run, ignore_errors=True)
    calls = {"Trainer": counted([*common.torchrun(2), "benchmarks/peer_trainer.py", *PEER]),
             "sft-dist": counted([*common.mpirun(2), common.PROGRAM, "configs/bert_text_classification.toml", f"output_dir={run}", "save.save_strategy=no", "log.progress=none", *OURS])}
    print(f"{'':<20}{'first update':>14}" + "".join(f"{name:>12}" for name in CALLS))
    for name in modes:
        told = "".join(f"{calls[name][call]:12,}" for call in CALLS) if name in calls else ""
        print(f"{name:<20}{statistics.median(seconds[name]):12.2f} s{told}")
    first = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"\nsft-dist / Trainer: first update 1/{first['Trainer'] / first['sft-dist']:.1f}, with prepared rows 1/{first['Trainer'] / first['sft-dist, prepared']:.1f}, " +
          ", ".join(f"{call} 1/{calls['Trainer'][call] / calls['sft-dist'][call]:.0f}" for call in CALLS))


if __name__ == "__main__":
    main()
