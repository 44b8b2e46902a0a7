#!/usr/bin/env python3
"""Updates as `sft-dist plan` foretells them from one rank, beside the same updates on ranks that are there.

    .deps/venv/bin/python benchmarks/plan.py > benchmarks/plan.txt

Each measured figure is the mean of `sft-dist check` on the ranks, one thread each, and stands between two plans: one of a rank alone with the links that `doctor` told, and one of
as many ranks as are planned, each of which computes at the same time beside the others. Milliseconds an update; of memory MiB a rank.
"""
import argparse
import json
import pathlib
import re

import common

STRATEGIES = "replicated", "zero1", "zero2"


def links(ranks):
    told, _ = common.call([*common.mpirun(ranks), common.PROGRAM, "doctor"], 1)
    return re.search(r"^links +(--latency) (\S+) (--bandwidth) (\S+),", told, re.M).groups()


def check(ranks, words):
    told, _ = common.call([*common.mpirun(ranks), common.PROGRAM, "check", *words], 1)
    time, unit = re.search(r"^time +([\d.]+)( ms|s) an update", told, re.M).groups()
    memory, size = re.search(r"^memory +([\d.]+) ([MG])iB a rank", told, re.M).groups()
    return float(time) * (1 if unit == " ms" else 1000), float(memory) * (1 if size == "M" else 1024)


def plan(ranks, here, words, *options):
    told, _ = common.call([*common.mpirun(here), common.PROGRAM, "plan", *words, "--gpus", ranks, "--json", *options], 1)
    return json.loads(told)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="demo/models/minilm", type=pathlib.Path)
    parser.add_argument("--data", default="demo/data/long_train.jsonl", type=pathlib.Path)
    parser.add_argument("--ranks", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    print(f"{common.machine()}; one thread a rank, {options.batch} rows an update over all ranks\n")
    print(f"{'ranks':<7}{'strategy':<12}{'measured':>10}{'planned':>10}{'ratio':>8}{'crowded':>10}{'ratio':>8}{'waiting':>9}{'MiB':>8}{'planned':>9}{'ratio':>8}")
    for ranks in options.ranks:
        link = links(ranks) if ranks > 1 else ()
        for strategy in STRATEGIES:
            words = ["configs/bert_text_classification_long.toml", "threads=1", f'model.model_name_or_path="{options.model.resolve()}"', "model.init=random", f'data.train_file="{options.data.resolve()}"',
                     "data.test_file=", f"train.global_batch_size={options.batch}", f"parallel.strategy={strategy}", "output_dir=runs/bench/plan"]
            alone = plan(ranks, 1, words, *link)
            time, memory = check(ranks, words)
            crowded = plan(ranks, ranks, words)
            foretold, beside = 1e3 * alone["seconds"]["update"], 1e3 * crowded["seconds"]["update"]
            held = alone["memory_bytes"][strategy]["peak"] / 2**20
            print(f"{ranks:<7}{strategy:<12}{time:>10.1f}{foretold:>10.1f}{foretold / time:>8.2f}{beside:>10.1f}{beside / time:>8.2f}{1e3 * crowded['seconds']['waiting']:>9.1f}"
                  f"{memory:>8.0f}{held:>9.0f}{held / memory:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
