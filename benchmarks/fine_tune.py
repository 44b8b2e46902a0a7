#!/usr/bin/env python3
"""Full fine-tuning of MiniLM on long texts, 2 ranks of one core each, beside transformers' Trainer in its best modes, alternating; float32, and bfloat16
where the CPU has it.

    .deps/venv/bin/python benchmarks/fine_tune.py > benchmarks/fine_tune.txt
    .deps/venv/bin/python benchmarks/fine_tune.py --full > benchmarks/fine_tune_full.txt

The same rows, weights, dropout, AdamW, batch of 64. Rates are of the updates behind the first; memory is the most that a rank had; `first step` is from exec to the
end of the first update. Three runs of each, medians, ratios. With --full the rows are those of 128 tokens, so that there is nothing to pad and nothing to sort.
"""
import argparse
import json
import statistics

import common

COLUMNS = ["samples_per_second", "first_step_seconds", "peak_rss_bytes", "eval_samples_per_second"]


def full_rows():
    """Files of the rows that are cut at 128 tokens, to learn from and to be tested on."""
    from transformers import AutoTokenizer

    tokenizer, home = AutoTokenizer.from_pretrained("demo/models/minilm"), common.ROOT / "runs/bench"
    home.mkdir(parents=True, exist_ok=True)
    known, paths = None, []
    for part in ("train", "test"):
        lines = common.ROOT.joinpath(f"demo/data/long_{part}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        rows = [json.loads(line) for line in lines]
        lengths = [len(ids) for ids in tokenizer([row["text"] for row in rows])["input_ids"]]
        chosen = [at for at in range(len(rows)) if lengths[at] >= 128 and (known is None or rows[at]["label"] in known)]
        known = known or {rows[at]["label"] for at in chosen}
        paths.append(home / f"full_{part}.jsonl")
        paths[-1].write_text("".join(lines[at] for at in chosen), encoding="utf-8")
    return paths


def ours(files, rows, dtype):
    train, test = files
    run = common.Run("fine-tune", "bert_text_classification_long", f"model.dtype={dtype}", f'data.train_file="{train}"', f'data.test_file="{test}"', "log.logging_steps=1", "train.global_batch_size=64", f"data.max_train_samples={rows}", f"data.max_eval_samples={rows}",
                     threads=1, mpi_options=("--bind-to", "core"))
    return {**run.costs(), "samples_per_second": common.harmonic_mean([step["samples_per_second"] for step in run.steps()[1:]]),
            "gemm_share": statistics.median(step["gemm_share"] for step in run.steps()[1:])}


def trainer(files, rows, *mode):
    return common.trainer("--train", files[0], "--test", files[1], "--epochs", 1, "--learning-rate", 3e-4, "--global-batch", 64, "--rows", rows, *mode, threads=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="only rows of 128 tokens")
    options = parser.parse_args()
    print(f"{common.machine()}; {common.versions()}")
    files, tokens = (full_rows(), "128 tokens each") if options.full else ([common.ROOT / f"demo/data/long_{part}.jsonl" for part in ("train", "test")], "about 82 tokens, at most 128")
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
    main()
