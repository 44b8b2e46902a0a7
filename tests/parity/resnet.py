"""ResNet against torchvision and transformers, live, as pictures.py has it.

    resnet.py PARITY_IMAGES
"""
import json

from pictures import Case, main

import torchvision
from transformers import ResNetConfig, ResNetForImageClassification

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def of_transformers(name, bottleneck, frozen=False, **more):
    sizes = [32, 64] if bottleneck else [8, 16]
    config = ResNetConfig(embedding_size=8, hidden_sizes=sizes, depths=[2, 1], layer_type="bottleneck" if bottleneck else "basic", num_labels=5, **more)
    net = ResNetForImageClassification(config)
    net.classes = 5
    return Case(f"transformers {name}", net, json.loads(config.to_json_string(use_diff=False)), MEAN, STD, frozen=frozen)


def of_torchvision(layers, classes, updates, dtype="float64"):
    net = getattr(torchvision.models, f"resnet{layers}")(num_classes=classes)
    net.classes = classes
    deep = layers >= 50
    config = {"model_type": "resnet", "embedding_size": 64, "hidden_sizes": [256, 512, 1024, 2048] if deep else [64, 128, 256, 512],
              "depths": {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3]}[layers], "layer_type": "bottleneck" if deep else "basic"}
    return Case(f"torchvision resnet{layers}", net, config, MEAN, STD, dtype, side=32, updates=updates)


main([of_torchvision(18, 10, 3), of_torchvision(34, 3, 1, "float32"), of_torchvision(50, 7, 1),
      of_transformers("basic", False), of_transformers("bottleneck", True),
      of_transformers("first stage strides", True, downsample_in_first_stage=True, downsample_in_bottleneck=True),
      of_transformers("frozen norms", False, frozen=True)])
