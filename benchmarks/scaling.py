#!/usr/bin/env python3
"""Scaling on one node: MiniLM on long texts on 1 rank of one core and on 2 (pinned), the same work a rank and the same work in all; and 2 ranks × 1 thread
beside 1 rank × 2 threads.

    .deps/venv/bin/python benchmarks/scaling.py > benchmarks/scaling.txt

Samples/s of the updates behind the first; the settings take turns, medians.
"""
import argparse

import common

SETTINGS = {"1 rank × 1 thread, batch 32": (1, 1, 32), "2 ranks × 1 thread, batch 64": (2, 1, 64), "2 ranks × 1 thread, batch 32": (2, 1, 32), "1 rank × 2 threads, batch 64": (1, 2, 64)}


def rate(ranks, threads, batch):
    pinned = ["--bind-to", "core"] if threads == 1 else ["--bind-to", "none"]
    run = common.Run("scaling", "bert_text_classification_long", f"train.global_batch_size={batch}", f"data.max_train_samples={batch * 8}", "data.max_eval_samples=64", "log.logging_steps=1",
                     ranks=ranks, threads=threads, mpi_options=pinned)
    return common.harmonic_mean([step["samples_per_second"] for step in run.steps()[1:]])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{common.machine()}\nMiniLM, long descriptions, float32\n")
    results = {name: [] for name in SETTINGS}
    for _ in range(options.repeats):
        for name, setting in SETTINGS.items():
            results[name].append({"rate": rate(*setting)})
    one, weak, strong, threads = (middle["rate"] for middle in common.medians(results, ["rate"]).values())
    for name, rows in results.items():
        print(f"{name:<32}" + "".join(f"{row['rate']:8.1f}" for row in rows) + " samples/s")
    print(f"\nweak scaling (batch 32 a rank): {weak / one / 2:.1%} of twice one rank")
    print(f"strong scaling (batch 32 in all): {strong / one / 2:.1%}")
    print(f"2 ranks × 1 thread against 1 rank × 2 threads, batch 64: {weak / threads:.2f}")


if __name__ == "__main__":
    main()
