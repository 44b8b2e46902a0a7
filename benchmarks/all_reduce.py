#!/usr/bin/env python3
"""All-reduce of float32 between CPU ranks of one node: ours, plain MPI_Allreduce and gloo (torch.distributed), from 1 kB to 400 MB, in turns.

    cmake --build build --target all_reduce_bench && .deps/venv/bin/python benchmarks/all_reduce.py > benchmarks/all_reduce.txt

A round lasts as long as its slowest rank; medians of the rounds, and of three turns. The limit is what a plain copy of the same bytes takes on each rank.
"""
import collections
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "build/tests/comm/all_reduce_bench"
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}
SIZES = [1000, 4000, 16000, 64000, 256000, 1000000, 4000000, 16000000, 100000000, 400000000]
NAMES = ["shared", "mpi", "gloo", "memcpy"]


def gloo_rank():
    """One rank of the peer, under torchrun; rank 0 prints as the bench does."""
    import time

    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo")
    for size in map(int, sys.argv[sys.argv.index("--gloo") + 1:] or SIZES):
        values, times = torch.zeros(size // 4), []
        rounds = 5 if size > 50000000 else 21 if size > 1000000 else 201
        for _ in range(rounds + 2):
            dist.barrier()
            started = time.perf_counter()
            dist.all_reduce(values)
            slowest = torch.tensor([time.perf_counter() - started], dtype=torch.float64)
            dist.all_reduce(slowest, dist.ReduceOp.MAX)
            times.append(slowest.item() * 1e3)
        if dist.get_rank() == 0:
            print("gloo", size, statistics.median(times[2:]), flush=True)
    dist.destroy_process_group()


def measure(command, into):
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(done.stderr)
    for line in done.stdout.splitlines():
        name, size, milliseconds = line.split()
        into[name, int(size)].append(float(milliseconds))


def main():
    for ranks in (2, 4):
        found = collections.defaultdict(list)
        for _ in range(3):
            measure(["mpirun", "-np", str(ranks), "--oversubscribe", str(BENCH), *map(str, SIZES)], found)
            measure([sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={ranks}", __file__, "--gloo"], found)
        print(f"{ranks} ranks, {os.cpu_count()} cores, {platform.processor() or platform.machine()}; milliseconds\n")
        print("".join(f"{title:>14}" for title in ["bytes", "sft-dist", "MPI_Allreduce", "gloo", "copy", "gloo / ours", "ours / copy"]))
        for size in SIZES:
            ours, mpi, gloo, copy = (statistics.median(found[name, size]) for name in NAMES)
            print(f"{size:14,}{ours:14.4f}{mpi:14.4f}{gloo:14.4f}{copy:14.4f}{gloo / ours:14.1f}{ours / copy:14.1f}")
        print(flush=True)


if __name__ == "__main__":
    gloo_rank() if "--gloo" in sys.argv else main()
