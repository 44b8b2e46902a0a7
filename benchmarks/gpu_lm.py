#!/usr/bin/env python3
"""Language models on one GPU beside transformers' Trainer and TRL's SFTTrainer, with PEFT for adapters, in one call: full bfloat16 fine-tuning of a
Qwen2.5-0.5B shape and LoRA of rank 16 of a Llama 3 8B shape, random weights, rows of one length (so that nobody pads).

    python3 benchmarks/gpu_lm.py                       # both, ours and each peer in turn
    python3 benchmarks/gpu_lm.py --tiny --device cpu   # a few seconds: that it runs to its end, not how fast

Needs a GPU, transformers with accelerate, PEFT and tokenizers; TRL where it is. 20 GB of disk for the 8B shape. Prints a table with the ratio to the best peer.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
QWEN = {"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
        "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0}
LLAMA = {"model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
         "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 0}
TINY = {"vocab_size": 1200, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
WORDS = 1000
SHAPES = {"Qwen2.5-0.5B, all weights": {"config": QWEN, "lora": 0, "goal": 150_000}, "Llama 3 8B, LoRA r 16": {"config": LLAMA, "lora": 16, "goal": 12_500}}


def write_tokenizer(directory, positions):
    """A word is a token, so that a row has as many as it has words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    vocabulary = {"<end>": 0, **{f"w{i}": i + 1 for i in range(WORDS)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<end>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<end>"])
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>", "pad_token": "<end>", "model_max_length": positions}))


def peer_call(*arguments, timeout):
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks/peer_gpu_lm.py"), *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    return done.stdout


def model_directory(home, config, options):
    directory = home / "model"
    if not (directory / "config.json").exists():
        (home / "shape.json").write_text(json.dumps(config))
        peer_call("--model", directory, "--make", home / "shape.json", *(["--cpu"] if options.device == "cpu" else []), timeout=600)
        write_tokenizer(directory, config["max_position_embeddings"])
    return directory


def write_rows(home, options):
    """One token fewer than the length: ours ends a text with <end>, and so do these rows for the peers."""
    draw, path = random.Random(0), home / "rows.jsonl"
    rows = (" ".join([*(f"w{draw.randrange(WORDS)}" for _ in range(options.length - 1)), "<end>"]) for _ in range(options.updates * options.batch))
    path.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    return path


def ours(home, model, rows, lora, options):
    output, config = home / "ours", home / "ours.toml"
    shutil.rmtree(output, ignore_errors=True)
    adapters = f'[lora]\nr = {lora}\nlora_alpha = {2 * lora}\ntarget_modules = "all-linear"\n' if lora else ""
    config.write_text(f"""output_dir = "{output}"
device = "{options.device}"
[model]
model_name_or_path = "{model}"
task = "causal_lm"
dtype = "bfloat16"
{adapters}[data]
train_file = "{rows}"
max_length = {options.length}
[train]
num_train_epochs = 1
global_batch_size = {options.batch}
max_tokens_per_micro_batch = {options.length * options.batch}
gradient_checkpointing = {str(options.checkpointing).lower()}
[optim]
learning_rate = 1e-5
[save]
save_strategy = "no"
[log]
logging_steps = {max(options.updates // 8, 1)}
progress = "none"
""")
    done = subprocess.run([os.environ.get("SFT_DIST", str(ROOT / "build/sft-dist")), str(config)], capture_output=True, text=True, timeout=options.timeout)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    lines = [line for line in map(json.loads, (output / "metrics.jsonl").read_text().splitlines()) if "tokens_per_second" in line and "loss" in line]
    return {"tokens_per_second": statistics.harmonic_mean([line["tokens_per_second"] for line in lines[1:]]), "loss": lines[-1]["loss"]}


def has_trl():
    return subprocess.run([sys.executable, "-c", "import trl"], capture_output=True).returncode == 0


def compare(name, shape, options):
    home = options.home / name.split(",")[0].replace(" ", "-")
    home.mkdir(parents=True, exist_ok=True)
    config = {**shape["config"], **(TINY if options.tiny else {})}
    model, rows = model_directory(home, config, options), write_rows(home, options)
    both = ["--model", model, "--train", rows, "--length", options.length, "--batch", options.batch, "--lora", shape["lora"]]
    both += [flag for flag, wanted in (("--cpu", options.device == "cpu"), ("--checkpointing", options.checkpointing)) if wanted]
    runs = {"sft-dist": lambda: ours(home, model, rows, shape["lora"], options)}
    for peer in ["Trainer"] + (["SFTTrainer"] if has_trl() else []):
        runs[peer] = lambda peer=peer: json.loads(peer_call(*both, "--by", peer, timeout=options.timeout).splitlines()[-1])
    results = {}
    for _ in range(options.repeats):
        for who, run in runs.items():
            try:
                result = run()
                results.setdefault(who, []).append(result["tokens_per_second"])
                print(name, who, json.dumps(result), flush=True)
            except (RuntimeError, subprocess.SubprocessError) as error:
                print(name, who, "failed:", error, flush=True)
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--updates", type=int, default=32)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=280, help="seconds a run")
    parser.add_argument("--checkpointing", action="store_true", help="gradient checkpointing on both sides")
    parser.add_argument("--tiny", action="store_true", help="small shapes of the same families: speed means nothing")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--home", type=pathlib.Path, default=pathlib.Path("runs/gpu_lm"))
    options = parser.parse_args()
    if options.tiny:
        options.length, options.batch, options.updates = 32, 4, 8
    options.home = options.home.resolve()
    table, complete = [], True
    for name in options.shapes:
        results = compare(name, SHAPES[name], options)
        complete = complete and len(results) > 1 and "sft-dist" in results
        best = max((statistics.median(rates) for who, rates in results.items() if who != "sft-dist"), default=float("nan"))
        table += [f"{name:28}{who:12}{statistics.median(rates):12.0f}{statistics.median(rates) / best:10.2f}{SHAPES[name]['goal'] if who == 'sft-dist' else '':>10}" for who, rates in results.items()]
    print(f"\nrows of {options.length} tokens, {options.batch} an update, {options.updates} updates, medians of {options.repeats}\n{'':40}{'tokens/s':>12}{'of best':>10}{'goal':>10}")
    print("\n".join(table))
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()
