#!/usr/bin/env python3
"""What a GPU does in the last 20 updates of a short run, by a timeline of Nsight Systems: how long it works and stands still in an update, and on what.

    python3 benchmarks/gpu_timeline.py                  # batches of 32 and 128 in bfloat16; needs nsys, a GPU and demo/data, a minute
    python3 benchmarks/gpu_timeline.py --trace F.csv    # of a report that is there: nsys stats --report cuda_gpu_trace --format csv F.nsys-rep

An update ends with the optimizer's last kernel, of which each update has as many. Never run on a GPU yet; what it counts was tried on a trace made by hand.
"""
import argparse
import csv
import os
import pathlib
import re
import shutil
import subprocess
import sys

import gpu

UPDATES, LAST = 60, 20
KINDS = {"products": r"gemm|cutlass|cublas|nvjet|xmma|splitk", "attention": r"flash|by_queries|by_keys|soften|move_rows|draw_kept", "norms": r"normalise|add_parts", "GELU": r"gelu",
         "dropout": r"\bdrop\b|drop<", "optimizer": r"adam", "sums over ranks": r"nccl", "copies": r"memcpy|memset|copy|fill", "sums": r"reduce"}


def kind_of(name):
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name, re.I)), "others")


def read_trace(text):
    """[(begin, end, name)] in nanoseconds, in the order of beginning; nsys puts words before the table."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Start (ns)"))
    return sorted((int(row["Start (ns)"]), int(row["Start (ns)"]) + int(row["Duration (ns)"]), row["Name"]) for row in csv.DictReader(lines[first:]))


def last_updates(spans, updates, last):
    """The spans of the last updates, and when they begin and end."""
    ends = [end for _, end, name in spans if kind_of(name) == "optimizer"]
    each = len(ends) // updates
    if each == 0 or len(ends) % updates:
        raise ValueError(f"{len(ends)} kernels of the optimizer are no multiple of {updates} updates")
    if last >= updates:
        raise ValueError(f"{updates} updates are too few to look at the last {last} of them: one before these tells where they begin")
    begin, end = ends[-1 - last * each], ends[-1]
    return [span for span in spans if begin <= span[0] < end], begin, end


def told(spans, begin, end, last):
    """Lines in milliseconds an update. The GPU works where any kernel or copy runs."""
    busy, reached = 0, begin
    for start, stop, _ in spans:
        busy += max(0, min(stop, end) - max(start, reached))
        reached = max(reached, min(stop, end))
    by_kind = {}
    for start, stop, name in spans:
        seconds, count = by_kind.get(kind_of(name), (0, 0))
        by_kind[kind_of(name)] = seconds + stop - start, count + 1
    of_one = 1e6 * last
    yield f"{'an update':<24}{(end - begin) / of_one:9.2f} ms"
    yield f"{'the GPU works':<24}{busy / of_one:9.2f} ms   {busy / (end - begin):6.1%}"
    for kind, (seconds, count) in sorted(by_kind.items(), key=lambda each: -each[1][0]):
        yield f"  {kind:<22}{seconds / of_one:9.2f} ms   {count / last:6.1f} calls"
    yield f"{'it stands still':<24}{(end - begin - busy) / of_one:9.2f} ms"


def traced(home, model, batch):
    report, run = home / f"timeline-{batch}", home / f"run-{batch}"
    shutil.rmtree(run, ignore_errors=True)
    config = home / "timeline.toml"
    config.write_text(f'output_dir = "{run}"\ndevice = "cuda"\n[model]\nmodel_name_or_path = "{model}"\ninit = "random"\ndtype = "bfloat16"\n[data]\ntrain_file = "{home}/train.jsonl"\nmax_length = 128\n'
                      f'[train]\nmax_steps = {UPDATES}\nglobal_batch_size = {batch}\n[save]\nsave_strategy = "no"\n[log]\nlogging_steps = 1000\nprogress = "none"\n')
    program = os.environ.get("SFT_DIST", str(gpu.ROOT / "build/sft-dist"))
    subprocess.run(["nsys", "profile", "--trace=cuda", "--sample=none", "--cpuctxsw=none", "--force-overwrite=true", f"--output={report}", program, "-q", config], check=True, timeout=280)
    return subprocess.run(["nsys", "stats", "--report", "cuda_gpu_trace", "--format", "csv", "--force-export=true", f"{report}.nsys-rep"], check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trace", type=pathlib.Path)
    parser.add_argument("--updates", type=int, default=UPDATES, help="in the trace that is given")
    parser.add_argument("--home", type=pathlib.Path, default=pathlib.Path("runs/gpu_timeline"))
    options = parser.parse_args()
    if options.trace:
        print("\n".join(told(*last_updates(read_trace(options.trace.read_text()), options.updates, LAST), LAST)))
        return 0
    if not shutil.which("nsys"):
        print("nsys (Nsight Systems) is not here: nothing was measured")
        return 77
    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(gpu.ROOT / "demo/data/long_train.jsonl", home / "train.jsonl")
    model = gpu.model_directory(home, gpu.ROOT / "demo/models/minilm")
    for batch in (32, 128):
        print(f"\nBERT-base, bfloat16, batch {batch}, the last {LAST} of {UPDATES} updates")
        print("\n".join(told(*last_updates(read_trace(traced(home, model, batch)), UPDATES, LAST), LAST)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
