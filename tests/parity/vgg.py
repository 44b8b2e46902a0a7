"""VGG against torchvision, live, as pictures.py has it: all eight names, a 64th as wide.

    vgg.py PARITY_IMAGES
"""
from pictures import Case, main

import torch
from torch import nn
from torchvision import models
from torchvision.models import vgg

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
WIDE = 12  # fully connected layers


def narrow_net(name, classes):
    plan = [each if each == "M" else each // 64 for each in vgg.cfgs[{"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}[name.removesuffix("_bn")]]]
    net = vgg.VGG(vgg.make_layers(plan, batch_norm=name.endswith("_bn")), num_classes=classes, dropout=0.0)
    net.classifier[0], net.classifier[3], net.classifier[6] = nn.Linear(8 * 49, WIDE), nn.Linear(WIDE, WIDE), nn.Linear(WIDE, classes)
    with torch.device("meta"):
        assert list(net.state_dict()) == list(getattr(models, name)().state_dict())
    net.classes = classes
    for value in net.classifier.parameters():
        nn.init.normal_(value, std=0.3)
    return net


def case(name, side=32, updates=2, **more):
    torch.manual_seed(len(name))
    config = {"model_type": "vgg", "architectures": [name], "hidden_sizes": [1, 2, 4, 8, 8], "classifier_size": WIDE, "classifier_dropout": 0.0}
    return Case(f"torchvision {name}{' frozen norms' if more.get('frozen') else ''} at {side}", narrow_net(name, 4), config, MEAN, STD, side=side, updates=updates, **more)


main([case(f"vgg{layers}{ending}") for layers in (11, 13, 16, 19) for ending in ("", "_bn")] +
     [case("vgg11", updates=20), case("vgg11_bn", 40, updates=20), case("vgg13_bn", frozen=True, updates=20), case("vgg16", dtype="float32"), case("vgg11", 256, updates=1)])
