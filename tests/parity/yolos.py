"""YOLOS with classes and boxes of objects against transformers, live, as pictures.py has it: logits, boxes, the loss, which has two
denominators here and there, gradients and updates.

    yolos.py PARITY_IMAGES
"""
import json
from dataclasses import dataclass

from pictures import Case, main

import numpy as np
import torch
from transformers import YolosConfig, YolosForObjectDetection

torch.set_default_dtype(torch.float64)  # the weights of the reference's cross-entropy are of the default type; usually single, so that is what they are rounded to


@dataclass
class Boxes(Case):
    task: str = "object_detection"
    most: int = 5  # boxes of a picture

    def labels(self, count):
        """Of each picture [boxes, 5]: class, left, top, right, bottom in pixels, whole in float32; some pictures have none."""
        pictures = []
        for number in torch.randint(0, self.most + 1, (count,)).tolist():
            first = torch.rand(number, 2) * (self.side - 8)
            size = 4 + torch.rand(number, 2) * (self.side - 4 - first)
            last = torch.minimum(first + size, torch.tensor(float(self.side)))
            pictures.append(torch.cat([torch.randint(0, self.net.classes, (number, 1)), first, last], 1).float().double())
        return pictures

    def bytes_of(self, labels):
        return b"".join(np.array([len(boxes)], np.float64).tobytes() + boxes.numpy().tobytes() for boxes in labels)

    def out_of(self, pixels, labels):
        targets = [{"class_labels": boxes[:, 0].long(), "boxes": torch.cat([(boxes[:, 1:3] + boxes[:, 3:]) / 2, boxes[:, 3:] - boxes[:, 1:3]], 1) / self.side} for boxes in labels]
        out = self.net(self.scaled(pixels), labels=targets)
        return torch.cat([out.logits.flatten(), out.pred_boxes.flatten()]), out.loss


def case(name, dtype="float64", side=24, updates=20, most=5, **more):
    shape = dict(hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=40, image_size=[24, 24], patch_size=8, num_labels=5, num_detection_tokens=6, eos_coefficient=float(np.float32(0.1)))
    config = YolosConfig(**{**shape, **more})
    torch.manual_seed(len(name))
    net = YolosForObjectDetection(config)
    net.classes = config.num_labels
    with torch.no_grad():
        for key, value in net.named_parameters():
            if value.dim() > 1:
                value.copy_(torch.randn_like(value) * 0.15)  # in a new model all tokens are alike
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return Boxes(name, net, {**json.loads(config.to_json_string(use_diff=False)), "image_mean": mean, "image_std": std}, mean, std, dtype, side, updates=updates, most=most)


def decays(name, value):
    """transformers' Trainer: all but biases and what lies in norms."""
    return not name.endswith("bias") and "norm" not in name


main([case("plain"), case("positions of another size, high", image_size=[40, 24], side=32), case("positions of another size, wide", image_size=[18, 50], side=16, use_mid_position_embeddings=False, updates=5),
      case("more boxes than tokens", num_detection_tokens=3, most=9, updates=5), case("no box at all", most=0, updates=3), case("one block", num_hidden_layers=1, use_mid_position_embeddings=False, updates=3),
      case("other costs", class_cost=2, bbox_cost=1, giou_cost=3, bbox_loss_coefficient=2, giou_loss_coefficient=4, eos_coefficient=float(np.float32(0.4)), qkv_bias=False, hidden_act="relu", updates=5),
      case("in float32", dtype="float32", updates=1)], decays)
