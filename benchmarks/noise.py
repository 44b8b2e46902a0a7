#!/usr/bin/env python3
"""Planted wrong labels: how many are found, and what robust losses save of accuracy.

    .deps/venv/bin/python benchmarks/noise.py > benchmarks/noise.txt

The demo's one-line package descriptions, of the sections with most rows. A share of the training labels is flipped to another section, evenly. MiniLM's frozen trunk is run once a training (`freeze.cache`), the
head alone is trained. `--folds` and cleanlab judge the same out-of-sample probabilities (`noise --probabilities`); margins are those of one training. Precision and recall are the same number at as many rows as there are flips.
cleanlab is looked for in CLEANLAB_PYTHON, which names a Python that has it; without one its column is empty.
"""
import argparse
import collections
import json
import os
import random
import shutil
import statistics
import subprocess

from common import PROGRAM, ROOT, Run, call, machine

HERE = ROOT / "runs/bench/noise"
FROZEN = ["freeze.all_but_last=0", 'freeze.cache="memory"', "save.save_strategy=no"]
LOSSES = {"cross-entropy": [], "gce": ['train.loss="gce"'], "sce": ['train.loss="sce"'], "bootstrap": ['train.loss="bootstrap"']}
CLEANLAB = """
import json, sys, numpy
from cleanlab.filter import find_label_issues
rows = [json.loads(line) for line in open(sys.argv[1])]
names = list(rows[0]["scores"])
labels = numpy.array([names.index(row["label"]) for row in rows])
scores = numpy.array([[row["scores"][name] for name in names] for row in rows])
print(json.dumps([rows[i]["row"] for i in find_label_issues(labels, scores, return_indices_ranked_by="self_confidence")]))
"""


def read(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sections(count):
    rows = {split: read(ROOT / f"demo/data/short_{split}.jsonl") for split in ("train", "test")}
    chosen = {label for label, _ in collections.Counter(row["label"] for row in rows["train"]).most_common(count)}
    return {split: [row for row in all_rows if row["label"] in chosen] for split, all_rows in rows.items()}, sorted(chosen)


def flipped(rows, labels, share, seed):
    draw = random.Random(seed)
    which = set(draw.sample(range(len(rows)), round(share * len(rows))))
    return [{**row, "label": draw.choice([label for label in labels if label != row["label"]])} if i in which else row for i, row in enumerate(rows)], which


def found(told, flips):
    """Share of the flips among the first as many rows, the number of rows told, and the shares of all of them that are flips, and of flips that are told."""
    right = sum(row in flips for row in told)
    return f"{sum(row in flips for row in told[:len(flips)]) / len(flips):8.3f} {len(told):5} {right / max(len(told), 1):9.3f} {right / len(flips):7.3f}"


def overrides(train, test, epochs):
    return [f"data.train_file={train}", f"data.test_file={test}", f"train.num_train_epochs={epochs}", "optim.learning_rate=1e-3", *FROZEN]


def by_cleanlab(probabilities):
    python = os.environ.get("CLEANLAB_PYTHON")
    return python and json.loads(subprocess.run([python, "-c", CLEANLAB, str(probabilities)], check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sections", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    rows, labels = sections(options.sections)
    test = write(HERE / "test.jsonl", rows["test"])
    print(f"{machine()}, 1 rank; {len(rows['train'])} training rows of {len(labels)} sections, {len(rows['test'])} test rows, {options.epochs} epochs of the head\n")
    print(f"{'flipped':>8} {'found by':<12} {'at flips':>8} {'told':>5} {'precision':>9} {'recall':>7}", flush=True)
    for share in options.shares:
        noisy, flips = flipped(rows["train"], labels, share, seed=1)
        train = write(HERE / f"train-{share}.jsonl", noisy)
        told = {}
        probabilities, suspicious, doubted = (HERE / f"{name}-{share}.jsonl" for name in ("probabilities", "suspicious", "doubted"))
        settings = [*overrides(train, test, options.epochs), f"output_dir={HERE / 'folds'}"]
        call([PROGRAM, "noise", "configs/bert_text_classification.toml", "--folds", "5", "--output", suspicious, "--probabilities", probabilities, *settings])
        told["folds"] = [row["row"] for row in read(suspicious)]
        if (theirs := by_cleanlab(probabilities)) is not None:
            told["cleanlab"] = theirs
        run = Run(f"noise/margins-{share}", "bert_text_classification", *overrides(train, test, options.epochs), "train.record_margins=true", ranks=1)
        call([PROGRAM, "noise", run.directory, "--output", doubted])
        told["margins"] = [row["row"] for row in read(doubted)]
        for name, order in told.items():
            print(f"{share:8.2f} {name:<12} {found(order, flips)}", flush=True)
    share = max(options.shares)
    print(f"\nTest accuracy with {share:.0%} flipped, mean over seeds {options.seeds}, and without flips\n{'train.loss':<14} {'flipped':>8} {'spread':>7} {'clean':>8}", flush=True)
    clean = write(HERE / "clean.jsonl", rows["train"])
    for name, loss in LOSSES.items():
        scores = []
        for seed in options.seeds:
            train = write(HERE / f"train-seed-{seed}.jsonl", flipped(rows["train"], labels, share, seed)[0])
            scores.append(Run(f"noise/loss-{seed}", "bert_text_classification", *overrides(train, test, options.epochs), f"seed={seed}", *loss, ranks=1).test["accuracy"])
        of_clean = Run("noise/loss-clean", "bert_text_classification", *overrides(clean, test, options.epochs), *loss, ranks=1).test["accuracy"]
        print(f"{name:<14} {statistics.mean(scores):8.4f} {max(scores) - min(scores):7.4f} {of_clean:8.4f}", flush=True)


if __name__ == "__main__":
    main()
