#!/usr/bin/env python3
"""Sums of float32 between nodes of one rank each, over links of a known rate: ours, plain MPI_Allreduce and gloo, in turns. As root.

    cmake --build build --target all_reduce_bench && .deps/venv/bin/python benchmarks/nodes.py [--nodes 2] [--rates 1gbit 10gbit] > benchmarks/nodes.txt

Nodes are namespaces of this host, each with a host name and one leg on a bridge, whose rate tc limits in both directions (tests/nodes/network.py). The limit is what the link needs for the
bytes of a sum, 2 (n - 1) / n of the values in and out of each of n nodes. A round lasts as long as its slowest rank; medians of the rounds, and of three turns.
"""
import argparse
import collections
import os
import pathlib
import statistics
import subprocess
import sys

import common
from all_reduce import BENCH, ENVIRONMENT

sys.path.insert(0, str(common.ROOT / "tests/nodes"))
from network import Network  # noqa: E402

HOME = common.ROOT / "runs/bench/nodes"
SIZES = [4000, 64000, 1000000, 4000000, 25000000, 100000000]


def ours(network, found):
    command = network.mpirun(HOME / "agent.sh", len(network.nodes), "-x", "OMP_NUM_THREADS=1", BENCH, *map(str, SIZES))
    for line in subprocess.run(list(map(str, command)), env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=600).stdout.splitlines():
        name, size, milliseconds = line.split()
        found[name, int(size)].append(float(milliseconds))


def gloo(network, found):
    ranks = [subprocess.Popen([*network.within(node), sys.executable, str(pathlib.Path(__file__).with_name("all_reduce.py")), "--gloo", *map(str, SIZES)], stdout=subprocess.PIPE, text=True,
                              env={**ENVIRONMENT, "RANK": str(rank), "WORLD_SIZE": str(len(network.nodes)), "MASTER_ADDR": network.address(network.nodes[0]), "MASTER_PORT": "29500", "GLOO_SOCKET_IFNAME": "eth0"})
             for rank, node in enumerate(network.nodes)]
    for line in ranks[0].communicate(timeout=600)[0].splitlines():
        name, size, milliseconds = line.split()
        found[name, int(size)].append(float(milliseconds))
    assert all(rank.wait(60) == 0 for rank in ranks)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--rates", nargs="+", default=["1gbit", "10gbit"])
    options = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    bits_of = {rate: float(rate.removesuffix("gbit")) * 1e9 for rate in options.rates}  # other units are refused here
    print(f"{common.machine()}; {common.versions()}\n{options.nodes} nodes of one rank; milliseconds; link: the least that the rate allows\n")
    with Network([f"bench{i}" for i in range(options.nodes)], prefix="sftbench", bridge="sftbenchbridge", subnet="10.78.0") as network:
        for rate in options.rates:
            network.limit(rate)
            found = collections.defaultdict(list)
            for _ in range(3):
                ours(network, found)
                gloo(network, found)
            print(f"{rate}\n" + "".join(f"{title:>14}" for title in ["bytes", "sft-dist", "MPI_Allreduce", "gloo", "link", "of the link", "MPI / ours", "gloo / ours"]))
            for size in SIZES:
                mine, mpi, peer = (statistics.median(found[name, size]) for name in ("shared", "mpi", "gloo"))
                link = size * 8 * 2 * (options.nodes - 1) / options.nodes / bits_of[rate] * 1e3
                print(f"{size:14,}{mine:14.3f}{mpi:14.3f}{peer:14.3f}{link:14.3f}{link / mine:14.2f}{mpi / mine:14.2f}{peer / mine:14.2f}")
            print(flush=True)


if __name__ == "__main__":
    main()
