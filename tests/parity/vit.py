"""ViT and DINOv2 against transformers, live, as pictures.py has it.

    vit.py PARITY_IMAGES
"""
import json

from pictures import Case, main

import torch
from transformers import Dinov2Config, Dinov2ForImageClassification, ViTConfig, ViTForImageClassification


def case(name, kind, of_config, dtype="float64", mean=(0.5,) * 3, std=(0.5,) * 3, updates=20, side=24, **more):
    shape = dict(hidden_size=24, num_hidden_layers=3, num_attention_heads=3, image_size=side, patch_size=8, num_labels=5)
    config = of_config(**{**shape, **more})
    torch.manual_seed(len(name))
    net = kind(config)
    net.classes = config.num_labels
    with torch.no_grad():
        for value in net.parameters():
            if value.dim() > 1:
                value.mul_(6)  # attention and activations that bend
    return Case(name, net, {**json.loads(config.to_json_string(use_diff=False)), "image_mean": list(mean), "image_std": list(std)}, mean, std, dtype, side, updates=updates)


def vit(name, **more):
    return case(f"vit {name}", ViTForImageClassification, ViTConfig, intermediate_size=40, **more)


def dinov2(name, **more):
    return case(f"dinov2 {name}", Dinov2ForImageClassification, Dinov2Config, mlp_ratio=2, **more)


def decays(name, value):
    """transformers' Trainer: all but biases and what lies in norms. Factors of layer scale decay."""
    return not name.endswith("bias") and "norm" not in name


main([vit("plain"), vit("without biases of queries", qkv_bias=False, hidden_act="gelu_new", mean=(0.485, 0.456, 0.406), std=(0.2, 0.25, 0.3)),
      vit("one patch and one block", side=8, num_hidden_layers=1, num_attention_heads=1), vit("small steps", layer_norm_eps=1e-5, patch_size=4, hidden_act="relu"),
      vit("of grey", num_channels=1, mean=(0.4,), std=(0.3,), updates=3), vit("in float32", dtype="float32", updates=2), dinov2("plain"), dinov2("layer scale", layerscale_value=0.1, qkv_bias=False),
      dinov2("swiglu", use_swiglu_ffn=True, layerscale_value=0.5), dinov2("without mask token", use_mask_token=False, patch_size=6, updates=5),
      dinov2("in float32", dtype="float32", updates=2)], decays)
