"""SegFormer with a class for each pixel against transformers, live, as pictures.py has it.

    segformer.py PARITY_IMAGES
"""
import json
from dataclasses import dataclass

from pictures import Case, main

import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation


@dataclass
class Masks(Case):
    task: str = "semantic_segmentation"

    def labels(self, count):
        """Every fifth pixel has no class."""
        masks = torch.randint(0, self.net.classes, (count, self.side, self.side), dtype=torch.uint8)
        masks[torch.rand(masks.shape) < 0.2] = 255
        return masks

    def out_of(self, pixels, labels):
        out = self.net(self.scaled(pixels), labels=labels.long())
        return out.logits, out.loss


def case(name, dtype="float64", side=32, updates=20, frozen=False, **more):
    shape = dict(hidden_sizes=[8, 12, 20, 24], depths=[2, 1, 1, 1], num_attention_heads=[1, 2, 5, 8], decoder_hidden_size=16, mlp_ratios=[2, 3, 2, 2],
                 drop_path_rate=0.0, classifier_dropout_prob=0.0, num_labels=5, initializer_range=0.2)
    config = SegformerConfig(**{**shape, **more})
    torch.manual_seed(len(name))
    net = SegformerForSemanticSegmentation(config)
    net.classes = config.num_labels
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return Masks(name, net, {**json.loads(config.to_json_string(use_diff=False)), "image_mean": mean, "image_std": std}, mean, std, dtype, side, frozen=frozen, updates=updates)


def decays(name, value):
    """transformers' Trainer: all but biases and what lies in norms."""
    return not name.endswith("bias") and "norm" not in name


main([case("segformer"), case("frozen norms", frozen=True, updates=5), case("sides that no stride divides", side=37, sr_ratios=[4, 2, 2, 1], updates=3),
      case("two scales", num_encoder_blocks=2, hidden_sizes=[8, 12], depths=[1, 2], num_attention_heads=[2, 3], mlp_ratios=[2, 2], sr_ratios=[4, 1], patch_sizes=[7, 3], strides=[4, 2], hidden_act="relu",
           num_labels=2, updates=3), case("in float32", dtype="float32", updates=1)], decays)
