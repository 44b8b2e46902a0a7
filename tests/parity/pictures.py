"""A picture model against torchvision or transformers, live: same weights, same images, training.

Logits, the loss and every gradient of a first update, all weights and running statistics after it, and after the last of
20 updates of SGD with momentum and weight decay, in float64 to 1e-10. In float32 the loss and the logits to 1e-4 of the
reference's in float64, and no gradient: where rounding moves a value across the kink of a ReLU, a gradient jumps, in torchvision's own float32 against
its float64 too.
"""
import copy
import dataclasses
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

try:
    import numpy as np
    import torch
    import torchvision  # noqa: F401
    from PIL import Image
    from safetensors.torch import load_file
except ImportError as missing:
    print(f"SKIPPED: no parity was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)


@dataclass
class Case:
    name: str
    net: torch.nn.Module
    config: dict         # config.json's content
    mean: list
    std: list
    dtype: str = "float64"
    side: int = 24
    frozen: bool = False  # norms
    updates: int = 20
    task: str = "image_classification"

    def labels(self, count):
        return torch.randint(0, self.net.classes, (count,))

    def bytes_of(self, labels):
        return labels.numpy().tobytes()

    def out_of(self, pixels, labels):
        """Logits and loss."""
        out = self.net(self.scaled(pixels))
        logits = out if isinstance(out, torch.Tensor) else out.logits
        return logits, torch.nn.functional.cross_entropy(logits, labels)

    def scaled(self, pixels):
        """[B, H, W, 3] of uint8 as the net sees them: grey where it has one channel, as PIL makes it."""
        real = getattr(torch, self.dtype)
        if len(self.mean) == 1:
            pixels = torch.stack([torch.from_numpy(np.array(Image.fromarray(one.numpy()).convert("L"))) for one in pixels]).unsqueeze(-1)
        channels = lambda values: torch.tensor(values, dtype=real).view(1, -1, 1, 1)
        return (pixels.permute(0, 3, 1, 2).to(real) / 255 - channels(self.mean)) / channels(self.std)


def is_matrix(name, value):
    return value.dim() >= 2


def by_file_name(net, values=None):
    """A net's tensors, or `values` by its own names in their place (zeros where one is missing), as its files name them:
    transformers renames the parameters of some families when it writes them."""
    if values is not None:
        net = copy.deepcopy(net)
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                parameter.copy_(values.get(name, torch.zeros_like(parameter)))
    if not hasattr(net, "save_pretrained"):
        return {name: value.clone() for name, value in net.state_dict().items()}
    with tempfile.TemporaryDirectory() as directory:
        net.save_pretrained(directory)
        return load_file(f"{directory}/model.safetensors")


def ours(tool, case, tensors, batches):
    described = {"task": case.task, "config": case.config, "dtype": case.dtype, "classes": case.net.classes, "height": case.side, "width": case.side, "batches": [len(pixels) for pixels, _ in batches],
                 "rate": 0.02, "momentum": 0.9, "decay": 0.01, "frozen": case.frozen, "tensors": [[key, list(value.shape), value.dtype == torch.int64] for key, value in tensors.items()]}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "case.json").write_text(json.dumps(described))
        (root / "weights.bin").write_bytes(b"".join(value.contiguous().numpy().tobytes() for value in tensors.values()))
        (root / "pixels.bin").write_bytes(b"".join(pixels.numpy().tobytes() for pixels, _ in batches))
        (root / "labels.bin").write_bytes(b"".join(case.bytes_of(labels) for _, labels in batches))
        subprocess.run([tool, directory], check=True)
        return torch.frombuffer(bytearray((root / "out.bin").read_bytes()), dtype=getattr(torch, case.dtype))


def theirs(case, batches, decays):
    """Loss and logits of the first update, and all tensors by their files' names: gradients, after the first and last update."""
    net = case.net
    groups = {True: [], False: []}
    for name, value in net.named_parameters():
        groups[decays(name, value)].append(value)
    optimizer = torch.optim.SGD([{"params": groups[True], "weight_decay": 0.01}, {"params": groups[False], "weight_decay": 0.0}], lr=0.02, momentum=0.9)
    first = None
    for pixels, labels in batches:
        logits, loss = case.out_of(pixels, labels)
        optimizer.zero_grad()
        loss.backward()
        gradients = {name: value.grad.clone() for name, value in net.named_parameters() if value.grad is not None}
        optimizer.step()
        first = first or (loss.detach(), logits.detach(), by_file_name(net, gradients), by_file_name(net))
    return *first, by_file_name(net)


def check(tool, case, decays):
    torch.manual_seed(len(case.name))
    case.net = case.net.to(getattr(torch, case.dtype)).train()
    for name, value in case.net.state_dict().items():  # norms and statistics that could not be mistaken for fresh ones
        if name.endswith("running_mean") or (value.dim() == 1 and name.endswith("bias")):
            value.add_(torch.randn_like(value) * 0.2)
        elif name.endswith("running_var") or (value.dim() == 1 and name.endswith("weight")):
            value.mul_(torch.rand_like(value) + 0.5)
    for module in case.net.modules():
        if case.frozen and isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    batches = [(torch.randint(0, 256, (count, case.side, case.side, 3), dtype=torch.uint8), case.labels(count)) for count in [8] * (case.updates - 1) + [5]]
    tensors = by_file_name(case.net)
    mine = ours(tool, case, tensors, batches)
    exact = dataclasses.replace(case, net=case.net.double(), dtype="float64")
    loss, logits, gradients, once, last = theirs(exact, batches, decays)
    n = len(tensors)
    our_loss, our_logits, *rest = mine.split([1, logits.numel()] + [value.numel() for _ in range(3) for value in tensors.values()])

    tight = 1e-10 if case.dtype == "float64" else 1e-4
    worst = {"loss": abs(our_loss[0] - loss).item() / tight, "logits": (our_logits - logits.flatten()).abs().max().item() / max(1, logits.abs().max().item()) / tight}
    whole = sum(value.double().norm() ** 2 for value in gradients.values()) ** 0.5
    for key, gradient, ours_once, ours_last in zip(tensors, rest[:n], rest[n:2 * n], rest[2 * n:]):
        if case.dtype == "float32":
            break
        if "running" not in key and "num_batches" not in key:
            worst[f"gradient of {key}"] = ((gradient - gradients[key].flatten()).norm() / max(gradients[key].norm(), 1e-3 * whole)).item() / tight
        for when, mine_then, then in (("first", ours_once, once[key]), ("last", ours_last, last[key])):
            then = then.double().flatten()
            worst[f"{key} after the {when} update"] = (mine_then.double() - then).norm().item() / max(then.norm().item(), 1e-3 * then.numel() ** 0.5) / tight
    what, error = max(worst.items(), key=lambda item: item[1] if item[1] == item[1] else float("inf"))
    good = error <= 1
    print(f"{'ok  ' if good else 'FAIL'} {case.name}, {case.dtype}, {case.updates} updates: worst {error:.2g} of what is allowed ({what})", flush=True)
    return good


def main(cases, decays=is_matrix):
    """FAMILY.py PARITY_IMAGES; `decays` says by name and value which parameters do."""
    torch.set_num_threads(1)
    good = [check(sys.argv[1], case, decays) for case in cases]
    print(f"{sum(good)} of {len(good)} cases agree with torchvision and transformers")
    sys.exit(0 if good and all(good) else 1)
