#!/usr/bin/env python3
"""A head on a frozen trunk: MiniLM on long texts, 10 epochs, 2 ranks of one core each, beside transformers' Trainer; with the trunk's features kept
(freeze.cache = "memory") and without.

    .deps/venv/bin/python benchmarks/frozen_trunk.py > benchmarks/frozen_trunk.txt

Rates are of the updates of the first epoch and of those behind it; the job is from exec to exit, with the evaluation of a quarter as many held-out rows at its
end, as the data has. Where nothing is kept, epochs are alike: two are run, and the job of ten is reckoned from their rate.
"""
import argparse

import common

EPOCHS, ALIKE = 10, 2


def whole_job(result, rows):
    """Ten epochs, from two that were run."""
    return {**result, "wall": result["wall"] + (EPOCHS - ALIKE) * rows / result["later"]}


def ours(rows, cache, epochs):
    batches = rows // 64
    run = common.Run(f"frozen-{cache}", "bert_text_classification_long", "freeze.all_but_last=0", f"freeze.cache={cache}", f"train.num_train_epochs={epochs}", "train.global_batch_size=64",
                     f"data.max_train_samples={rows}", f"data.max_eval_samples={rows // 4}", f"log.logging_steps={batches}", threads=1, mpi_options=("--bind-to", "core"))
    rates = [step["samples_per_second"] for step in run.steps()]
    return {**run.costs(), "first": rates[0], "later": common.harmonic_mean(rates[1:]), "accuracy": run.test["accuracy"]}


def trainer(rows):
    result = common.trainer("--train", "demo/data/long_train.jsonl", "--test", "demo/data/long_test.jsonl", "--epochs", ALIKE, "--learning-rate", 3e-4, "--global-batch", 64, "--rows", rows,
                            "--test-rows", rows // 4, "--freeze-trunk", "--group-by-length", threads=1)
    return whole_job({**result, "first": result["samples_per_second"], "later": result["samples_per_second"]}, rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"{common.machine()}; {common.versions()}")
    print(f"MiniLM frozen, a new linear head, {options.rows} long descriptions, {EPOCHS} epochs, batch 64 on 2 ranks × 1 thread, float32\n")
    modes = {"Trainer, by length": lambda: trainer(options.rows), "sft-dist": lambda: whole_job(ours(options.rows, "off", ALIKE), options.rows), "sft-dist, cache": lambda: ours(options.rows, "memory", EPOCHS)}
    results = {name: [] for name in modes}
    for _ in range(options.repeats):
        for name, run in modes.items():
            results[name].append(run())
            last = results[name][-1]
            print(f"{name:<20} first epoch {last['first']:8.1f} samples/s   later {last['later']:10.1f}   job of {EPOCHS} epochs {last['wall']:7.1f} s   peak {last['peak_rss_bytes'] / 2**20:6.0f} MiB", flush=True)
    middle = common.medians(results, ["first", "later", "wall", "peak_rss_bytes"])
    print()
    for name in ("sft-dist", "sft-dist, cache"):
        print(f"{name} / Trainer, medians: {common.ratios(middle[name], middle['Trainer, by length'])}")


if __name__ == "__main__":
    main()
