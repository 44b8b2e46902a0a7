#!/usr/bin/env python3
"""What each remedy for rare classes and for little data does to accuracy and macro-F1, on the demo's 57 uneven sections.

    .deps/venv/bin/python benchmarks/imbalance.py > benchmarks/imbalance.txt

One config, `configs/bert_text_classification.toml`, with the settings of a line put on top. Scores are of the test rows, which training never sees;
"rare" is the mean recall of the classes with fewer rows in train than the middle one.
"""
import argparse
import collections
import json
import statistics

from common import ROOT, Run, machine

REMEDIES = {
    "plain": [],
    "class_weights balanced": ['train.class_weights="balanced"'],
    "balanced sampling": ['data.train_sampling_strategy="balanced"'],
    "focal, gamma 2": ['train.loss="focal"'],
    "label smoothing 0.1": ["train.label_smoothing_factor=0.1"],
    "l2 1e-5": ["train.l2=1e-5"],
    "dropout 0.2": ["model.config.hidden_dropout_prob=0.2"],
}


def counts():
    return collections.Counter(json.loads(line)["label"] for line in open(ROOT / "demo/data/short_train.jsonl", encoding="utf-8"))


def measured(name, overrides, seed, ranks, rare):
    run = Run(f"{name.replace(' ', '-')}-{seed}", "bert_text_classification", f"seed={seed}", *overrides, ranks=ranks)
    per_class = run.test["details"]["per_class"]
    recalls = [scores["recall"] for label, scores in per_class.items() if label in rare and scores["support"] > 0]
    return run.test["accuracy"], run.test["f1"], statistics.mean(recalls), run.summary["train_runtime"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    rows = counts()
    middle = statistics.median(rows.values())
    rare = {label for label, count in rows.items() if count < middle}
    print(f"{machine()}, {options.ranks} ranks; seeds {options.seeds}")
    print(f"{sum(rows.values())} rows, {len(rows)} classes of {min(rows.values())} to {max(rows.values())} rows, the middle one {middle:g}; {len(rare)} rare ones\n")
    print(f"{'remedy':<24} {'accuracy':>8} {'macro-F1':>8} {'rare':>8} {'seconds':>8}   settings", flush=True)
    for name, overrides in REMEDIES.items():
        scores = [measured(name, overrides, seed, options.ranks, rare) for seed in options.seeds]
        accuracy, f1, recall, seconds = (statistics.mean(column) for column in zip(*scores))
        print(f"{name:<24} {accuracy:8.4f} {f1:8.4f} {recall:8.4f} {seconds:8.1f}   {' '.join(overrides)}", flush=True)


if __name__ == "__main__":
    main()
