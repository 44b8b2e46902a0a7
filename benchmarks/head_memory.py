#!/usr/bin/env python3
"""Memory of one update where the vocabulary is large: 151,936 words (Qwen's), a Llama of 128 × 2 with a tied head, all tokens trained, by how many of them
one micro-batch holds; beside transformers, which keeps the logits.

    .deps/venv/bin/python benchmarks/head_memory.py > benchmarks/head_memory.txt

One process of two threads each, float32, AdamW, texts of 256 tokens, the same random weights; the figure is the process's peak, and the loss that of the
same rows before the update. A peer that cannot have the memory is stopped by a limit of nine tenths of what the machine has free, and told as more than that.
"""
import argparse
import json
import sys

import chat
import common

HOME = common.ROOT / "runs/bench/head_memory"
LENGTH = 256
PEER = """
import json, os, resource, sys
limit = int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
home, source, length = sys.argv[1:4]
with open(source, encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines]
ids = AutoTokenizer.from_pretrained(home)(texts, truncation=True, max_length=int(length), add_special_tokens=False, return_tensors="pt")["input_ids"]
model = AutoModelForCausalLM.from_pretrained(home, dtype=torch.float32)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
try:
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    told = {"peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "loss": loss.item(), "tokens": ids.numel()}
except (RuntimeError, MemoryError) as error:
    if "memory" not in str(error):
        raise
    told = {"over": limit}
print(json.dumps(told))
"""


def write_texts(tokens):
    """So many tokens as rows of LENGTH, each cut from chats put together, in two forms of one file."""
    path = HOME / f"{tokens}.jsonl"
    with open(chat.CHATS, encoding="utf-8") as lines:
        said = [json.loads(line)["messages"][1]["content"] for line, _ in zip(lines, range(20 * tokens // LENGTH))]
    texts = [" ".join(said[20 * at:20 * at + 20]) for at in range(tokens // LENGTH)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def ours(model, texts, tokens):
    run = common.Run("head-memory", "smollm2_text", f"model.model_name_or_path={model}", f"data.train_file={texts}", "data.validation_split=0", f"data.test_file={texts}", "data.truncation=right",
                     f"data.max_length={LENGTH}", "data.max_train_samples=0", "data.max_eval_samples=1", f"train.global_batch_size={tokens // LENGTH}",
                     f"train.max_tokens_per_micro_batch={tokens}", "train.max_steps=1", "optim.learning_rate=1e-4", "lora.r=0", "log.logging_steps=1", ranks=1, threads=2)
    step = run.steps()[0]
    counted = round(step["tokens_per_second"] * (tokens // LENGTH) / step["samples_per_second"])
    assert counted == tokens, f"{counted} tokens in the update, not {tokens}"
    return {"peak_rss_bytes": sum(run.summary["peak_rss_bytes"]), "loss": step["loss"]}


def free_bytes():
    return next(1024 * int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemAvailable"))


def transformers(model, texts, tokens):
    out, _ = common.call([sys.executable, "-c", PEER, model, texts, LENGTH, free_bytes() * 9 // 10], threads=2)
    told = json.loads(out.splitlines()[-1])
    assert told.get("tokens", tokens) == tokens, told
    return told


def row(tokens, own, peer, logits):
    mebibytes = lambda count: f"{count / 2**20:,.0f} MiB"
    theirs = mebibytes(peer["peak_rss_bytes"]) if "loss" in peer else f"> {mebibytes(peer['over'])}"
    ratio = f"{own['peak_rss_bytes'] / peer['peak_rss_bytes']:.3f}" if "loss" in peer else f"< {own['peak_rss_bytes'] / peer['over']:.3f}"
    losses = f"{own['loss']:.3f} / {peer['loss']:.3f}" if "loss" in peer else f"{own['loss']:.3f} / -"
    return f"{tokens:>12,}{mebibytes(logits):>16}{mebibytes(own['peak_rss_bytes']):>16}{theirs:>18}{ratio:>10}{losses:>18}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, nargs="+", default=[1024, 4096, 16384], help="multiples of 256")
    parser.add_argument("--tiny", action="store_true", help="a try of this script: 49,152 words, few tokens")
    options = parser.parse_args()
    words, sizes = (49152, [256, 512]) if options.tiny else (151936, options.tokens)
    HOME.mkdir(parents=True, exist_ok=True)
    model = chat.make_llama(HOME / f"llama-{words}", vocab_size=words, hidden_size=128, intermediate_size=512, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2)
    common.apart(chat.write_weights, model)
    print(f"{common.machine()}; {common.versions()}\nbenchmarks/head_memory.py {' '.join(sys.argv[1:])}")
    print(f"Llama of 128 × 2, {words:,} words, tied head; one update of AdamW, float32; weights, gradient and two moments take {4 * 4 * words * 128 / 2**20:,.0f} MiB of each side\n")
    print(f"{'tokens':>12}{'logits once':>16}{'sft-dist':>16}{'transformers':>18}{'ratio':>10}{'loss':>18}")
    for tokens in sizes:
        texts = write_texts(tokens)
        print(row(tokens, ours(model, texts, tokens), transformers(model, texts, tokens), 4 * tokens * words), flush=True)


if __name__ == "__main__":
    main()
