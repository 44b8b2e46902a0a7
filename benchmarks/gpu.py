#!/usr/bin/env python3
"""BERT-base on one GPU beside transformers' Trainer in its modes: the same rows, settings and random weights' shape.

    python3 benchmarks/gpu.py --rows 8192 --repeats 3

Needs a GPU, transformers with accelerate, scikit-learn, and demo/data (make quickstart brings it). Prints a table.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BERT_BASE = {"model_type": "bert", "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
             "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "max_position_embeddings": 512, "type_vocab_size": 2,
             "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0, "architectures": ["BertForSequenceClassification"]}
PEERS = {"Trainer fp32": [], "Trainer bf16": ["--bf16"], "Trainer bf16 by length": ["--bf16", "--group-by-length"], "Trainer bf16 compiled": ["--bf16", "--compile"]}
OURS = {"sft-dist float32": "float32", "sft-dist bfloat16": "bfloat16"}


def model_directory(home, tokenizer):
    directory = home / "bert-base"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (tokenizer / name).exists():
            shutil.copy(tokenizer / name, directory)
    (directory / "config.json").write_text(json.dumps(BERT_BASE))
    return directory


def ours(home, model, dtype, options):
    output = home / f"ours-{dtype}"
    shutil.rmtree(output, ignore_errors=True)
    rows = home / "train.jsonl"
    config = home / f"{dtype}.toml"
    config.write_text(f"""output_dir = "{output}"
device = "cuda"
[model]
model_name_or_path = "{model}"
init = "random"
dtype = "{dtype}"
[data]
train_file = "{rows}"
max_length = 128
[train]
num_train_epochs = {options.epochs}
global_batch_size = {options.batch}
[optim]
learning_rate = 1e-4
weight_decay = 0.0
[save]
save_strategy = "no"
[log]
logging_steps = 16
progress = "none"
""")
    started = time.time()
    subprocess.run([os.environ.get("SFT_DIST", str(ROOT / "build/sft-dist")), str(config)], check=True, timeout=280)
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    rates = [line["samples_per_second"] for line in lines if "loss" in line][1:]
    summary = json.loads((output / "summary.json").read_text())
    return {"samples_per_second": statistics.harmonic_mean(rates), "first_step_seconds": summary["first_step_seconds"], "seconds": time.time() - started,
            "gemm_share": statistics.median([line["gemm_share"] for line in lines if "gemm_share" in line][1:]), "loss": [line["loss"] for line in lines if "loss" in line][-1]}


def peer(home, model, modes, options):
    started = time.time()
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks/peer_trainer.py"), "--model", str(model), "--random-weights", "--cuda", *modes, "--train", str(home / "train.jsonl"),
                           "--test", str(home / "test.jsonl"), "--epochs", str(options.epochs), "--learning-rate", "1e-4", "--global-batch", str(options.batch),
                           "--output", str(home / "peer")], capture_output=True, text=True, timeout=280, env={**os.environ, "BENCH_STARTED": str(started)})
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-800:])
    return {**json.loads(done.stdout.splitlines()[-1]), "seconds": time.time() - started}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=8192)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--home", type=pathlib.Path, default=pathlib.Path("runs/gpu"))
    parser.add_argument("--tokenizer", type=pathlib.Path, default=ROOT / "demo/models/minilm")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "demo/data/long_train.jsonl")
    options = parser.parse_args()
    options.home = options.home.resolve()
    options.home.mkdir(parents=True, exist_ok=True)
    rows = options.data.read_text().splitlines(keepends=True)[: options.rows]
    (options.home / "train.jsonl").write_text("".join(rows))
    (options.home / "test.jsonl").write_text("".join(rows[:64]))
    model = model_directory(options.home, options.tokenizer)
    results = {}
    for _ in range(options.repeats):
        for name, run in [(n, lambda d=d: ours(options.home, model, d, options)) for n, d in OURS.items()] + [(n, lambda n=n: peer(options.home, model, PEERS[n], options)) for n in options.peers]:
            try:
                result = run()
                results.setdefault(name, []).append(result)
                print(name, json.dumps(result), flush=True)
            except (RuntimeError, subprocess.SubprocessError) as error:
                print(name, "failed:", error, flush=True)
    print(f"\n{len(rows)} rows of at most 128 tokens, batch {options.batch}, medians of {options.repeats}\n{'':26}samples/s   first step s   share of GEMM peak")
    for name, runs in results.items():
        median = lambda key: statistics.median(run.get(key, float("nan")) for run in runs)
        print(f"{name:26}{median('samples_per_second'):9.0f}   {median('first_step_seconds'):12.2f}   {median('gemm_share'):18.3f}")


if __name__ == "__main__":
    main()
