"""ResNet against torchvision and transformers, live: same weights, same images, training.

    resnet.py PARITY_IMAGES

Logits, the loss and every gradient of a first update, running statistics after it, and all weights and statistics after
20 updates of SGD with momentum and weight decay (none on biases and norms), in float64 to 1e-10. In float32 the loss and
the logits to 1e-4, and no gradient: where rounding moves a value across the kink of a ReLU, a gradient jumps, in
torchvision's own float32 against its float64 too.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    import torchvision
    from transformers import ResNetConfig, ResNetForImageClassification
except ImportError as missing:
    print(f"SKIPPED: no parity was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def hugging_face(bottleneck, classes, **more):
    sizes = [32, 64] if bottleneck else [8, 16]
    return ResNetForImageClassification(ResNetConfig(embedding_size=8, hidden_sizes=sizes, depths=[2, 1], layer_type="bottleneck" if bottleneck else "basic", num_labels=classes, **more))


def torchvision_net(layers, classes):
    net = getattr(torchvision.models, f"resnet{layers}")(num_classes=classes)
    deep = layers >= 50
    config = {"model_type": "resnet", "embedding_size": 64, "hidden_sizes": [256, 512, 1024, 2048] if deep else [64, 128, 256, 512],
              "depths": {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3]}[layers], "layer_type": "bottleneck" if deep else "basic"}
    return net, config


def cases():
    net, config = torchvision_net(18, 10)
    yield "torchvision resnet18", net, config, "float64", 32, False, 3
    net, config = torchvision_net(34, 3)
    yield "torchvision resnet34", net, config, "float32", 32, False, 1
    net, config = torchvision_net(50, 7)
    yield "torchvision resnet50", net, config, "float64", 32, False, 1
    for name, bottleneck, more, frozen in (("basic", False, {}, False), ("bottleneck", True, {}, False), ("first stage strides", True, {"downsample_in_first_stage": True, "downsample_in_bottleneck": True}, False), ("frozen norms", False, {}, True)):
        net = hugging_face(bottleneck, 5, **more)
        yield f"transformers {name}", net, json.loads(net.config.to_json_string(use_diff=False)), "float64", 24, frozen, 20


def check(tool, name, net, config, dtype, side, frozen, updates):
    torch.manual_seed(len(name))
    real = getattr(torch, dtype)
    net = net.to(real).train()
    for key, value in net.state_dict().items():  # statistics and norms that could not be mistaken for fresh ones
        if key.endswith(("running_mean", "normalization.bias", "bn1.bias", "bn2.bias")):
            value.add_(torch.randn_like(value) * 0.2)
        if key.endswith(("running_var", "normalization.weight", "bn1.weight", "bn2.weight")):
            value.mul_(torch.rand_like(value) + 0.5)
    if frozen:
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
    classes = [value for key, value in net.state_dict().items() if key.endswith(("fc.bias", "classifier.1.bias"))][0].numel()
    batches = [8] * (updates - 1) + [5]
    pixels = [torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8) for count in batches]
    labels = [torch.randint(0, classes, (count,)) for count in batches]
    tensors = list(net.state_dict().items())
    described = {"config": config, "dtype": dtype, "classes": classes, "height": side, "width": side, "batches": batches, "rate": 0.02, "momentum": 0.9, "decay": 0.01, "frozen": frozen,
                 "tensors": [[key, list(value.shape), value.dtype == torch.int64] for key, value in tensors]}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "case.json").write_text(json.dumps(described))
        (root / "weights.bin").write_bytes(b"".join(value.numpy().tobytes() for _, value in tensors))
        (root / "pixels.bin").write_bytes(b"".join(batch.numpy().tobytes() for batch in pixels))
        (root / "labels.bin").write_bytes(b"".join(batch.numpy().tobytes() for batch in labels))
        subprocess.run([tool, directory], check=True)
        mine = torch.frombuffer(bytearray((root / "out.bin").read_bytes()), dtype=real)

    plain = [p for p in net.parameters() if p.dim() < 2]
    optimizer = torch.optim.SGD([{"params": [p for p in net.parameters() if p.dim() >= 2], "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=0.02, momentum=0.9)
    after_first = None
    for update, (batch, target) in enumerate(zip(pixels, labels)):
        x = (batch.permute(0, 3, 1, 2).to(real) / 255 - torch.tensor(MEAN, dtype=real).view(1, 3, 1, 1)) / torch.tensor(STD, dtype=real).view(1, 3, 1, 1)
        out = net(x)
        logits = out if isinstance(out, torch.Tensor) else out.logits
        loss = torch.nn.functional.cross_entropy(logits, target)
        optimizer.zero_grad()
        loss.backward()
        if update == 0:
            first = loss.detach(), logits.detach(), {key: p.grad.clone() for key, p in net.named_parameters()}
        optimizer.step()
        if update == 0:
            after_first = {key: value.clone() for key, value in net.state_dict().items()}
    sizes = [1, first[1].numel()] + [value.numel() for _ in range(3) for _, value in tensors]
    loss, logits, *rest = mine.split(sizes)
    n = len(tensors)
    whole = sum(g.double().norm() ** 2 for g in first[2].values()) ** 0.5
    tight = 1e-10 if dtype == "float64" else 1e-4
    worst = [("loss", abs(loss[0] - first[0]).item() / tight), ("logits", (logits - first[1].flatten()).abs().max().item() / max(1, first[1].abs().max().item()) / tight)]
    for (key, value), gradient, once, last in zip(tensors, rest[:n], rest[n:2 * n], rest[2 * n:]):
        if dtype == "float32":
            break
        if key in first[2]:
            worst.append((f"gradient of {key}", (gradient.double() - first[2][key].flatten().double()).norm().item() / max(first[2][key].double().norm().item(), 1e-3 * whole.item()) / tight))
        for when, ours, theirs in (("first", once, after_first[key]), ("last", last, net.state_dict()[key])):
            theirs = theirs.double().flatten()
            worst.append((f"{key} after the {when} update", (ours.double() - theirs).norm().item() / max(theirs.norm().item(), 1e-3 * theirs.numel() ** 0.5) / tight))
    what, error = max(worst, key=lambda item: item[1] if item[1] == item[1] else float("inf"))
    good = error <= 1
    print(f"{'ok  ' if good else 'FAIL'} {name}, {dtype}, {updates} updates: worst {error:.2g} of what is allowed ({what})", flush=True)
    return good


def main():
    torch.set_num_threads(1)
    good = [check(sys.argv[1], *case) for case in cases()]
    print(f"{sum(good)} of {len(good)} cases agree with torchvision and transformers")
    sys.exit(0 if all(good) else 1)


main()
