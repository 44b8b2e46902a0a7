#!/usr/bin/env python3
"""Sums over ranks behind the backward pass and beside it: a rank that computes on all of its cores, and one that leaves a core to them.

    .deps/venv/bin/python benchmarks/overlap.py > benchmarks/overlap.txt

Two ranks, each with half of the machine's cores (at least four), random weights of the model's shape, long texts, batch 64. Milliseconds are means over 16 traced
updates of rank 0, after one that is left out: `sums` on the thread that makes them, waiting for the other rank included; `within` is their share that falls into a
backward pass; `reduce` is what the update waits for behind it.
"""
import argparse
import json
import os
import pathlib
import sys

import common

UPDATES, BATCH = 17, 64


def spans(directory):
    """Of rank 0, in milliseconds, without the first update."""
    with open(directory / "trace.json", encoding="utf-8") as file:
        events = [event for event in json.load(file)["traceEvents"] if event["ph"] == "X" and event["pid"] == 0]
    first_end = min(event["ts"] + event["dur"] for event in events if event["name"] == "step")
    return [(event["name"], event["ts"] / 1e3, (event["ts"] + event["dur"]) / 1e3) for event in events if event["ts"] >= first_end]


def measured(threads, options):
    run = common.Run("overlap", "bert_text_classification_long", f"threads={threads}", "model.init=random", f'model.model_name_or_path="{options.model}"', f'data.train_file="{options.data}"',
                     "data.test_file=", f"data.max_train_samples={UPDATES * BATCH}", f"train.global_batch_size={BATCH}", "log.logging_steps=1", f"log.trace={UPDATES}", mpi_options=("--bind-to", "none"))
    all_spans, steps = spans(run.directory), run.steps()
    passes = [(begin, end) for name, begin, end in all_spans if name == "backward"]
    mean = lambda wanted: sum(end - begin for name, begin, end in all_spans if name == wanted) / (UPDATES - 1)
    within = sum(max(0, min(end, last) - max(begin, first)) for name, begin, end in all_spans if name == "sum over ranks" for first, last in passes) / (UPDATES - 1)
    return {"rate": common.harmonic_mean([step["samples_per_second"] for step in steps[1:]]), "loss": steps[-1]["loss"], "within": within,
            **{name: mean(name) for name in ("forward", "backward", "sum over ranks", "reduce")}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="demo/models/minilm", type=pathlib.Path, help="config.json and a tokenizer are enough")
    parser.add_argument("--data", default="demo/data/long_train.jsonl", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    options.model, options.data = options.model.resolve(), options.data.resolve()
    share = len(os.sched_getaffinity(0)) // 2
    if share < 2:
        sys.exit("each of two ranks wants two cores: on this machine none is left beside those that compute")
    print(f"{common.machine()}; 2 ranks, {share} cores each; milliseconds an update\n")
    print(f"{'threads':<12}{'samples/s':>11}{'forward':>10}{'backward':>10}{'sums':>8}{'within':>8}{'reduce':>8}{'last loss':>13}")
    for _ in range(options.repeats):
        for threads in (share, share - 1):
            got = measured(threads, options)
            print(f"{threads:<12}{got['rate']:>11.1f}{got['forward']:>10.1f}{got['backward']:>10.1f}{got['sum over ranks']:>8.1f}{got['within']:>8.1f}{got['reduce']:>8.1f}{got['loss']:>13.6f}", flush=True)


if __name__ == "__main__":
    main()
