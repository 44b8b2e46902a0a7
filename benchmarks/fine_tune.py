#!/usr/bin/env python3
"""Full fine-tuning of MiniLM on long texts, 2 ranks of one core each, beside transformers' Trainer in its two best fp32 modes, alternating.

    .deps/venv/bin/python benchmarks/fine_tune.py > benchmarks/fine_tune.txt

The same rows, weights, dropout, AdamW, batch of 64. Rates are of the updates behind the first; memory is the most that a rank had; `first step` is from exec to the
end of the first update. Three runs of each, medians, ratios.
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
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
COLUMNS = ["samples_per_second", "first_step_seconds", "peak_rss_bytes", "eval_samples_per_second"]


def call(command):
    started = time.time()
    done = subprocess.run(command, cwd=ROOT, env={**ENVIRONMENT, "BENCH_STARTED": str(started)}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def ours(rows):
    run = ROOT / "runs/bench/fine-tune"
    subprocess.run(["rm", "-rf", str(run)], check=True)
    call(["mpirun", "-np", "2", "--oversubscribe", "--bind-to", "core", str(ROOT / "build/sft-dist"), "configs/bert_text_classification_long.toml", f"output_dir={run}", "save.save_strategy=no",
          "log.progress=none", "log.logging_steps=1", "train.global_batch_size=64", f"data.max_train_samples={rows}", f"data.max_eval_samples={rows}"])
    summary = json.loads((run / "summary.json").read_text())
    steps = [json.loads(line) for line in open(run / "metrics.jsonl")]
    rates = [step["samples_per_second"] for step in steps if "samples_per_second" in step and "loss" in step][1:]
    shares = [step["gemm_share"] for step in steps if "gemm_share" in step][1:]
    test = summary["test_metrics"]
    return {"samples_per_second": len(rates) / sum(1 / rate for rate in rates), "first_step_seconds": summary["first_step_seconds"], "peak_rss_bytes": max(summary["peak_rss_bytes"]),
            "eval_samples_per_second": test["samples"] / test["seconds"], "gemm_share": statistics.median(shares)}


def trainer(rows, *mode):
    out = call([sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "benchmarks/peer_trainer.py", "--train", "demo/data/long_train.jsonl", "--test", "demo/data/long_test.jsonl",
                "--epochs", "1", "--learning-rate", "3e-4", "--global-batch", "64", "--rows", str(rows), *mode])
    return json.loads([line for line in out.splitlines() if line.startswith('{"accuracy"')][-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    import torch
    import transformers
    print(f"{cpu}, {os.cpu_count()} cores; torch {torch.__version__}, transformers {transformers.__version__}")
    print(f"MiniLM, {options.rows} long descriptions (about 82 tokens, at most 128), batch 64 on 2 ranks × 1 thread, AdamW, dropout, float32\n")
    modes = {"Trainer": lambda: trainer(options.rows), "Trainer, by length": lambda: trainer(options.rows, "--group-by-length"), "sft-dist": lambda: ours(options.rows)}
    results = {name: [] for name in modes}
    for repeat in range(options.repeats):
        for name, run in modes.items():
            result = run()
            results[name].append(result)
            share = f"  {100 * result['gemm_share']:.0f}% of GEMM peak" if "gemm_share" in result else ""
            print(f"{name:<20} {result['samples_per_second']:6.1f} samples/s  first step {result['first_step_seconds']:5.1f} s  peak {result['peak_rss_bytes'] / 2**20:6.0f} MiB  "
                  f"evaluation {result['eval_samples_per_second']:6.1f}/s{share}", flush=True)
    middle = {name: {column: statistics.median(row[column] for row in rows) for column in COLUMNS} for name, rows in results.items()}
    print()
    for peer in ("Trainer", "Trainer, by length"):
        print(f"sft-dist / {peer}, medians: " + ", ".join(f"{column} {middle['sft-dist'][column] / middle[peer][column]:.3f}" for column in COLUMNS))


if __name__ == "__main__":
    main()
