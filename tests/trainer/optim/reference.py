"""Rates by transformers.get_scheduler and torch.optim.lr_scheduler, and weights after updates by torch.optim,
for schedule_test.cpp and optimizer_test.cpp.

    reference.py FILE.json           writes them
    reference.py --check FILE.json   fails where the file no longer says what the installed versions say
"""
import json
import pathlib
import re
import sys

import torch
from torch.optim import lr_scheduler
from transformers import get_scheduler

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from reference_file import keep

PEAK = 3e-4


def optimizer():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=PEAK)


def rates(make, total):
    opt = optimizer()
    schedule = make(opt)
    values = []
    for _ in range(total):
        values.append(opt.param_groups[0]["lr"])
        opt.step()
        schedule.step()
    return values


def from_transformers(name, warmup, total, **kwargs):
    return rates(lambda opt: get_scheduler(name, opt, warmup, total, **kwargs), total)


def schedules():
    cases = []

    def add(kind, warmup, total, values, floor=0.0):
        cases.append(dict(type=kind, warmup=warmup, total=total, floor=floor, rates=values))

    for warmup, total in [(0, 20), (5, 20), (1, 7), (20, 20)]:
        for name in ["linear", "cosine", "constant_with_warmup", "inverse_sqrt"]:
            add(name, warmup, total, from_transformers(name, warmup, total))
        add("cosine_with_restarts", warmup, total, from_transformers("cosine_with_restarts", warmup, total))
        add("constant", warmup, total, from_transformers("constant", 0, total))
        if warmup < total:
            add("polynomial", warmup, total, from_transformers("polynomial", warmup, total))
    add("cosine", 5, 20, from_transformers("cosine_with_min_lr", 5, 20, scheduler_specific_kwargs=dict(min_lr_rate=0.1)), 0.1)
    add("polynomial", 5, 20, from_transformers("polynomial", 5, 20, scheduler_specific_kwargs=dict(lr_end=0.1 * PEAK)), 0.1)

    add("step", 0, 20, rates(lambda o: lr_scheduler.StepLR(o, 7, 0.1), 20))
    add("exponential", 0, 20, rates(lambda o: lr_scheduler.ExponentialLR(o, 0.01 ** (1 / 20)), 20))
    add("exponential", 0, 20, rates(lambda o: lr_scheduler.ExponentialLR(o, 0.5 ** (1 / 20)), 20), 0.5)
    add("one_cycle", 0, 20, rates(lambda o: lr_scheduler.OneCycleLR(o, PEAK, 20, cycle_momentum=False), 19))
    add("one_cycle", 8, 20, rates(lambda o: lr_scheduler.OneCycleLR(o, PEAK, 20, pct_start=8 / 20, cycle_momentum=False), 19))
    return cases


def plateau():
    """A metric's course and the rate after each of its values."""
    courses = {
        "min": [1.0, 0.9, 0.8] + [0.8 - 1e-6] * 11 + [0.7] + [0.75] * 24 + [float("nan")] * 11 + [0.1] + [0.2] * 40,
        "max": [0.1, 0.5] + [0.5] * 12 + [0.6] + [0.55] * 11,
    }
    cases = []
    for mode, course in courses.items():
        opt = optimizer()
        schedule = lr_scheduler.ReduceLROnPlateau(opt, mode)
        values = []
        for metric in course:
            schedule.step(metric)
            values.append(opt.param_groups[0]["lr"])
        cases.append(dict(greater_is_better=mode == "max", metrics=[m if m == m else None for m in course], rates=values))
    return cases


def updates():
    """Two groups (decay 0.1 at the rate, none at half of it), five updates in float64."""
    kinds = {
        "adamw": lambda groups: torch.optim.AdamW(groups, betas=(0.8, 0.95), eps=1e-6),
        "adam": lambda groups: torch.optim.Adam(groups, betas=(0.8, 0.95), eps=1e-6),
        "sgd": lambda groups: torch.optim.SGD(groups),
        "sgd_momentum": lambda groups: torch.optim.SGD(groups, momentum=0.9),
        "sgd_nesterov": lambda groups: torch.optim.SGD(groups, momentum=0.9, nesterov=True),
    }
    numbers = torch.arange(12, dtype=torch.float64)
    cases = []
    for kind, make in kinds.items():
        first = torch.sin(numbers[:8]).requires_grad_()
        second = torch.cos(numbers[:5]).requires_grad_()
        opt = make([dict(params=[first], weight_decay=0.1, lr=0.01), dict(params=[second], weight_decay=0.0, lr=0.005)])
        for step in range(5):
            first.grad = torch.sin(numbers[:8] * 3 + step)
            second.grad = torch.sin(numbers[:5] * 5 - step)
            opt.step()
        cases.append(dict(kind=kind, first=first.tolist(), second=second.tolist()))
    return cases


if __name__ == "__main__":
    wanted = dict(peak=PEAK, schedules=schedules(), plateau=plateau(), updates=updates())
    text = json.dumps(wanted, indent=1)
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text)
    keep(wanted, text + "\n", absolute=1e-12, relative=1e-12)
