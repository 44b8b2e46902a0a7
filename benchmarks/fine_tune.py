#!/usr/bin/env python3
"""Full fine-tuning of MiniLM on long texts, 2 ranks of one core each, beside transformers' Trainer in its best modes, alternating; float32, and bfloat16
where the CPU has it.

    .deps/venv/bin/python benchmarks/fine_tune.py > benchmarks/fine_tune.txt

The same rows, weights, dropout, AdamW, batch of 64. Rates are of the updates behind the first; memory is the most that a rank had; `first step` is from exec to the
end of the first update. Three runs of each, medians, ratios.
"""
import argparse
import statistics

import common

COLUMNS = ["samples_per_second", "first_step_seconds", "peak_rss_bytes", "eval_samples_per_second"]


def ours(files, rows, dtype):
    train, test = files
    run = common.Run("fine-tune", "bert_text_classification_long", f"model.dtype={dtype}", f'data.train_file="{train}"', f'data.test_file="{test}"', "log.logging_steps=1", "train.global_batch_size=64", f"data.max_train_samples={rows}", f"data.max_eval_samples={rows}",
                     threads=1, mpi_options=("--bind-to", "core"))
    return {**run.costs(), "samples_per_second": common.harmonic_mean([step["samples_per_second"] for step in run.steps()[1:]]),
            "gemm_share": statistics.median(step["gemm_share"] for step in run.steps()[1:])}


def trainer(files, rows, *mode):
    return common.trainer("--train", files[0], "--test", files[1], "--epochs", 1, "--learning-rate", 3e-4, "--global-batch", 64, "--rows", rows, *mode, threads=1)


def long_rows():
    return [common.ROOT / f"demo/data/long_{part}.jsonl" for part in ("train", "test")]


def compare(files_of, tokens, rows):
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"{common.machine()}; {common.versions()}")
    files = files_of()
    print(f"MiniLM, {options.rows} long descriptions ({tokens}), batch 64 on 2 ranks × 1 thread, AdamW, dropout\n")
    modes = {"Trainer": lambda: trainer(files, options.rows), "Trainer, by length": lambda: trainer(files, options.rows, "--group-by-length"), "sft-dist": lambda: ours(files, options.rows, "float32")}
    if "avx512_bf16" in open("/proc/cpuinfo").read():
        modes["Trainer, by length, bf16"] = lambda: trainer(files, options.rows, "--group-by-length", "--bf16")
        modes["sft-dist, bf16"] = lambda: ours(files, options.rows, "bfloat16")
    results = {name: [] for name in modes}
    for repeat in range(options.repeats):
        for name, run in modes.items():
            result = run()
            results[name].append(result)
            share = f"  {100 * result['gemm_share']:.0f}% of GEMM peak" if "gemm_share" in result else ""
            print(f"{name:<24} {result['samples_per_second']:6.1f} samples/s  first step {result['first_step_seconds']:5.1f} s  peak {result['peak_rss_bytes'] / 2**20:6.0f} MiB  "
                  f"evaluation {result['eval_samples_per_second']:6.1f}/s{share}", flush=True)
    middle = common.medians(results, COLUMNS)
    print()
    for own, peer in (("sft-dist", "Trainer"), ("sft-dist", "Trainer, by length"), ("sft-dist, bf16", "Trainer, by length, bf16")):
        if own in middle:
            print(f"{own} / {peer}, medians: {common.ratios(middle[own], middle[peer])}")


if __name__ == "__main__":
    compare(long_rows, "about 82 tokens, at most 128", rows=1024)
