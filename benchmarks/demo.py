#!/usr/bin/env python3
"""The demo on 1 and 2 ranks beside transformers' Trainer: same rows, same settings, alternating, several seeds.

    .deps/venv/bin/python benchmarks/demo.py --seeds 1 2 3 > benchmarks/demo.txt

Each program gets the same cores: 2 ranks × 1 thread, or 1 process × 2 threads. Prints every run and the medians as ratios.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = sys.executable
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
COLUMNS = ["accuracy", "f1", "samples_per_second", "first_step_seconds", "peak_rss_bytes", "eval_samples_per_second"]


def ours(ranks, seed):
    run = ROOT / f"runs/bench/demo-{ranks}-{seed}"
    subprocess.run(["rm", "-rf", str(run)], check=True)
    command = (["mpirun", "-np", str(ranks), "--oversubscribe"] if ranks > 1 else []) + [
        str(ROOT / "build/sft-dist"), "configs/bert_text_classification.toml", f"output_dir={run}", f"seed={seed}", "save.save_strategy=no", "log.progress=none", "log.logging_steps=1"]
    started = time.time()
    process = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    if process.returncode:
        sys.exit(process.stderr)
    summary = json.loads((run / "summary.json").read_text())
    test = summary["test_metrics"]
    return {"accuracy": test["accuracy"], "f1": test["f1"], "samples_per_second": summary["train_samples_per_second"],
            "first_step_seconds": summary["first_step_seconds"], "peak_rss_bytes": max(summary["peak_rss_bytes"]),
            "eval_samples_per_second": test["samples"] / test["seconds"], "wall": time.time() - started}


def peer(ranks, seed):
    launcher = [PYTHON, "-m", "torch.distributed.run", "--nproc_per_node", str(ranks)] if ranks > 1 else [PYTHON]
    command = launcher + ["benchmarks/peer_trainer.py", "--train", "demo/data/short_train.jsonl", "--test", "demo/data/short_test.jsonl",
                          "--epochs", "8", "--learning-rate", "2e-4", "--head-multiplier", "10", "--warmup", "50", "--seed", str(seed)]
    started = time.time()
    environment = {**ENVIRONMENT, "OMP_NUM_THREADS": str(2 // ranks), "BENCH_STARTED": str(started)}
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if process.returncode:
        sys.exit(process.stderr)
    line = [text for text in process.stdout.splitlines() if text.startswith('{"accuracy"')][-1]
    return {**json.loads(line), "wall": time.time() - started}


def describe(name, result):
    return (f"{name:<22} accuracy {result['accuracy']:.4f}  macro-F1 {result['f1']:.4f}  {result['samples_per_second']:7.1f} samples/s  "
            f"first step {result['first_step_seconds']:5.1f} s  peak {result['peak_rss_bytes'] / 2**20:6.0f} MiB  eval {result['eval_samples_per_second']:7.1f}/s  wall {result['wall']:6.1f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 1])
    options = parser.parse_args()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    import torch
    import transformers
    print(f"{cpu}, {os.cpu_count()} cores; torch {torch.__version__}, transformers {transformers.__version__}")
    print("MiniLM, 2,000 one-line descriptions, 57 sections, 8 epochs, batch 32, rate 2e-4 (head × 10), 50 warm-up updates, float32; 2,048 held-out rows\n")
    for ranks in options.ranks:
        results = {"sft-dist": [], "Trainer": []}
        for seed in options.seeds:
            for name, run in (("Trainer", peer), ("sft-dist", ours)):
                results[name].append(run(ranks, seed))
                print(describe(f"{name}, {ranks} ranks, seed {seed}", results[name][-1]), flush=True)
        middle = {name: {column: statistics.median(r[column] for r in rows) for column in COLUMNS + ["wall"]} for name, rows in results.items()}
        mean = {name: statistics.mean(r["accuracy"] for r in rows) for name, rows in results.items()}
        print(f"\n{ranks} ranks: mean accuracy {mean['sft-dist']:.4f} against {mean['Trainer']:.4f}; medians as ratios sft-dist / Trainer: " +
              ", ".join(f"{column} {middle['sft-dist'][column] / middle['Trainer'][column]:.3f}" for column in COLUMNS + ["wall"]) + "\n", flush=True)


if __name__ == "__main__":
    main()
