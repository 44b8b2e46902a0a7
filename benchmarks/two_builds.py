#!/usr/bin/env python3
"""Two builds of this program beside each other, in alternation: fine-tuning, start-up, preparation and loading, with the ratio pair by pair.

    .deps/venv/bin/python benchmarks/two_builds.py OLD_BUILD build > benchmarks/two_builds.txt

OLD_BUILD and build are build folders that hold sft-dist and data/loader_rate. A ratio above 1 is in favour of the second; peak memory is the second's over the first's.
"""
import argparse
import pathlib
import re
import shutil
import statistics

import common

HOME = common.ROOT / "runs/bench/two-builds"
FILES = [f'data.train_file="{common.ROOT}/demo/data/long_train.jsonl"', f'data.test_file="{common.ROOT}/demo/data/long_test.jsonl"']


def run_of(build, name, config, *overrides):
    common.PROGRAM = build / "sft-dist"
    return common.Run(f"two-builds/{name}", config, *overrides, threads=1, mpi_options=("--bind-to", "core"))


def fine_tune(build, rows):
    run = run_of(build, "fine-tune", "bert_text_classification_long", *FILES, "log.logging_steps=1", "train.global_batch_size=64", f"data.max_train_samples={rows}", "data.max_eval_samples=256")
    costs = run.costs()
    return {"fine-tuning, samples/s": common.harmonic_mean([step["samples_per_second"] for step in run.steps()[1:]]), "evaluation, samples/s": costs["eval_samples_per_second"],
            "peak memory of fine-tuning, MiB": costs["peak_rss_bytes"] / 2**20}


def start_up(build):
    shards = HOME / "shards-of-start-up"
    rows = ["data.max_train_samples=64", "data.max_eval_samples=64", "train.num_train_epochs=1", f"data.prepared_dir={shards}"]
    shutil.rmtree(shards, ignore_errors=True)
    first = run_of(build, "start-up", "bert_text_classification", *rows).summary["first_step_seconds"]
    again = run_of(build, "start-up", "bert_text_classification", *rows).summary["first_step_seconds"]
    return {"exec to the first update, s": first, "exec to the first update, rows prepared, s": again}


def prepare(build, rows):
    shards = HOME / "shards"
    shutil.rmtree(shards, ignore_errors=True)
    _, seconds = common.call([*common.mpirun(2), build / "sft-dist", "prepare", "configs/bert_text_classification_long.toml", f'data.train_file="{rows}"', f"output_dir={HOME}/prepare", f"data.prepared_dir={shards}"], 1)
    return {"prepare, s": seconds}


def loader_rate(build):
    out, _ = common.call([build / "data/loader_rate", HOME, "1000000"], 1)
    cells = [line.split() for line in out.splitlines() if re.fullmatch(r"[\d\s]+", line) and line.split()]
    return {f"loader, {row[1]} tokens a row, samples/s": float(row[4]) for row in cells}


def many_rows(copies):
    HOME.mkdir(parents=True, exist_ok=True)
    path = HOME / "rows.jsonl"
    path.write_bytes((common.ROOT / "demo/data/long_train.jsonl").read_bytes() * copies)
    return path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("builds", nargs=2, type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--rows", type=int, default=320, help="of a fine-tuning")
    parser.add_argument("--copies", type=int, default=8, help="of the demo's rows, prepared")
    options = parser.parse_args()
    builds = [path.resolve() for path in options.builds]
    print(f"{common.machine()}; {common.versions()}; {options.pairs} pairs\n", flush=True)
    rows = many_rows(options.copies)
    print(f"{'':<46}{'old':>12}{'new':>12}{'median ratio':>14}{'least':>8}{'most':>8}")
    for measure in (lambda build: fine_tune(build, options.rows), start_up, lambda build: prepare(build, rows), loader_rate):
        pairs = []
        for pair in range(options.pairs):
            ordered = builds if pair % 2 == 0 else builds[::-1]
            told = {build: measure(build) for build in ordered}
            pairs.append([told[build] for build in builds])
        for name in pairs[0][0]:
            turned = name.endswith(" s")
            ratios = [old[name] / new[name] if turned else new[name] / old[name] for old, new in pairs]
            old, new = (statistics.median(pair[side][name] for pair in pairs) for side in (0, 1))
            print(f"{name:<46}{old:12.2f}{new:12.2f}{statistics.median(ratios):14.3f}{min(ratios):8.3f}{max(ratios):8.3f}", flush=True)


if __name__ == "__main__":
    main()
