#!/usr/bin/env python3
"""Answers of SmolLM2-135M: `sft-dist predict` beside transformers' `generate` in batches of 8, padded on the left; greedy, float32, two cores.

    .deps/venv/bin/python benchmarks/generate.py [--prompts 100] [--new-tokens 64]     (chat.py runs it too)

A row is a question about a Debian package in the model's chat template; an answer ends at the stop token or at --new-tokens. Start-up is left out of both:
the peer's clock starts behind its imports and its model's load, and from ours the time of a job of one token of one prompt is taken, the shorter of two. Both render the template,
encode, generate and decode within the clock. Rates are of generated tokens. Answers are compared with the peer's to the letter: sums are rounded differently
where rows are padded and batched differently, so that a near-tie may fall otherwise; what is equal is told.
"""
import argparse
import json
import os
import shutil
import sys

import common

HOME = common.ROOT / "runs/bench/generate"
MODEL = common.ROOT / "demo/models/smollm2"
QUESTIONS = common.ROOT / "demo/data/chat_test.jsonl"
COLUMNS = ["tokens_per_second", "seconds"]
PEER = """
import json, sys, time
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
home, source, new_tokens = sys.argv[1:]
with open(source, encoding="utf-8") as lines:
    chats = [json.loads(line)["messages"] for line in lines]
tokenizer = AutoTokenizer.from_pretrained(home, padding_side="left")
model = AutoModelForCausalLM.from_pretrained(home, dtype=torch.float32).eval()
started, answers, tokens = time.time(), [], 0
for first in range(0, len(chats), 8):
    batch = tokenizer.apply_chat_template(chats[first:first + 8], add_generation_prompt=True, return_dict=True, return_tensors="pt", padding=True)
    with torch.inference_mode():
        ids = model.generate(**batch, max_new_tokens=int(new_tokens), do_sample=False)[:, batch["input_ids"].shape[1]:].tolist()
    stop = model.generation_config.eos_token_id
    ids = [row[:row.index(stop)] if stop in row else row for row in ids]
    tokens += sum(map(len, ids))
    answers += tokenizer.batch_decode(ids, skip_special_tokens=True)
print(json.dumps([time.time() - started, tokens, answers]))
"""


def write_questions(count):
    path = HOME / f"{count}.jsonl"
    with open(QUESTIONS, encoding="utf-8") as lines:
        chats = [json.loads(line)["messages"] for line, _ in zip(lines, range(count))]
    path.write_text("".join(json.dumps({"messages": chat[:1]}) + "\n" for chat in chats), encoding="utf-8")
    return path


def model_that_says(new_tokens):
    """The model's directory with another generation_config.json, which is where `predict` finds the length of an answer."""
    directory = HOME / f"model-{new_tokens}"
    directory.mkdir()
    for path in MODEL.iterdir():
        if path.name == "generation_config.json":
            (directory / path.name).write_text(json.dumps({**json.loads(path.read_text()), "max_new_tokens": new_tokens}))
        else:
            os.symlink(path.resolve(), directory / path.name)
    return directory


def ours(prompts, new_tokens, ranks):
    def job(count, length):
        bound = ("--bind-to", "core") if ranks > 1 else ()
        _, seconds = common.call([*common.mpirun(ranks, *bound), common.PROGRAM, "predict", HOME / f"model-{length}", "--input", HOME / f"{count}.jsonl", "--output", HOME / "said.jsonl"], threads=2 // ranks)
        return seconds, [json.loads(line) for line in (HOME / "said.jsonl").read_text(encoding="utf-8").splitlines()]

    start = min(job(1, 1)[0] for _ in range(2))
    whole, said = job(prompts, new_tokens)
    tokens = sum(row["tokens"] for row in said)
    return {"tokens_per_second": tokens / (whole - start), "seconds": whole - start, "tokens": tokens}, [row["prediction"] for row in said]


def transformers(prompts, new_tokens):
    out, _ = common.call([sys.executable, "-c", PEER, MODEL, HOME / f"{prompts}.jsonl", new_tokens], threads=2)
    seconds, tokens, answers = json.loads(out.splitlines()[-1])
    return {"tokens_per_second": tokens / seconds, "seconds": seconds, "tokens": tokens}, answers


def agreement(own, peer):
    equal = sum(a.strip() == b.strip() for a, b in zip(own, peer, strict=True))
    same = sum(len(os.path.commonprefix([a.strip(), b.strip()])) for a, b in zip(own, peer)) / max(1, sum(len(answer.strip()) for answer in peer))
    return f"{equal} of {len(own)} answers equal to the letter, {100 * same:.1f}% of all letters before the first that differs"


def compare(prompts, new_tokens, repeats):
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    write_questions(prompts), write_questions(1)
    for length in {1, new_tokens}:
        model_that_says(length)
    print(f"Answers of SmolLM2-135M, {prompts} prompts, at most {new_tokens} tokens each, greedy, float32\n")
    sides = {"transformers, 8 at once": lambda: transformers(prompts, new_tokens), "sft-dist, 1 × 2": lambda: ours(prompts, new_tokens, 1), "sft-dist, 2 × 1": lambda: ours(prompts, new_tokens, 2)}
    results, answers = {name: [] for name in sides}, {}
    for _ in range(repeats):
        for name, run in sides.items():
            result, answers[name] = run()
            results[name].append(result)
            print(f"{name:<24}{result['tokens_per_second']:8.1f} tokens/s   {result['seconds']:6.1f} s behind the start for {result['tokens']} tokens", flush=True)
    middle = common.medians(results, COLUMNS)
    peer = next(iter(sides))
    print()
    for name in list(sides)[1:]:
        print(f"{name} / {peer}, medians: {common.ratios(middle[name], middle[peer])}; {agreement(answers[name], answers[peer])}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="a try of this script: its figures mean nothing")
    options = parser.parse_args()
    print(f"{common.machine()}; {common.versions()}\nbenchmarks/generate.py {' '.join(sys.argv[1:])}")
    compare(*((8, 4, 1) if options.tiny else (options.prompts, options.new_tokens, options.repeats)))


if __name__ == "__main__":
    main()
