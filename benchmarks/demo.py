#!/usr/bin/env python3
"""The demo on 1 and 2 ranks beside transformers' Trainer: same rows, same settings, alternating, several seeds.

    .deps/venv/bin/python benchmarks/demo.py --seeds 1 2 3 > benchmarks/demo.txt

Each program gets the same cores: 2 ranks × 1 thread, or 1 process × 2 threads. Prints every run and the medians as ratios.
"""
import argparse
import statistics

from common import Run, machine, medians, ratios, trainer, versions

COLUMNS = ["accuracy", "f1", "samples_per_second", "first_step_seconds", "peak_rss_bytes", "eval_samples_per_second", "wall"]


def ours(ranks, seed):
    run = Run(f"demo-{ranks}-{seed}", "bert_text_classification", f"seed={seed}", "log.logging_steps=1", ranks=ranks)
    return {**run.costs(), "accuracy": run.test["accuracy"], "f1": run.test["f1"]}


def peer(ranks, seed):
    return trainer("--train", "demo/data/short_train.jsonl", "--test", "demo/data/short_test.jsonl", "--epochs", 8, "--learning-rate", 2e-4,
                   "--head-multiplier", 10, "--warmup", 50, "--seed", seed, ranks=ranks, threads=2 // ranks)


def describe(name, result):
    return (f"{name:<22} accuracy {result['accuracy']:.4f}  macro-F1 {result['f1']:.4f}  {result['samples_per_second']:7.1f} samples/s  "
            f"first step {result['first_step_seconds']:5.1f} s  peak {result['peak_rss_bytes'] / 2**20:6.0f} MiB  eval {result['eval_samples_per_second']:7.1f}/s  wall {result['wall']:6.1f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 1])
    options = parser.parse_args()
    print(f"{machine()}; {versions()}")
    print("MiniLM, 2,000 one-line descriptions, 57 sections, 8 epochs, batch 32, rate 2e-4 (head × 10), 50 warm-up updates, float32; 2,048 held-out rows\n")
    for ranks in options.ranks:
        results = {"sft-dist": [], "Trainer": []}
        for seed in options.seeds:
            for name, run in (("Trainer", peer), ("sft-dist", ours)):
                results[name].append(run(ranks, seed))
                print(describe(f"{name}, {ranks} ranks, seed {seed}", results[name][-1]), flush=True)
        middle = medians(results, COLUMNS)
        mean = {name: statistics.mean(r["accuracy"] for r in rows) for name, rows in results.items()}
        print(f"\n{ranks} ranks: mean accuracy {mean['sft-dist']:.4f} against {mean['Trainer']:.4f}; medians as ratios sft-dist / Trainer: {ratios(middle['sft-dist'], middle['Trainer'])}\n", flush=True)


if __name__ == "__main__":
    main()
