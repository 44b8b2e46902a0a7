#!/usr/bin/env python3
"""Brings up a SLURM, runs the tests of this folder on it, and takes it down again:  run.py [unittest's arguments]"""
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import unittest

from cluster import Cluster, call

HERE = pathlib.Path(__file__).parent


def main():
    if os.getuid() != 0 or not shutil.which("slurmctld"):
        print("skipped: this needs root and  apt-get install slurm-wlm munge", file=sys.stderr)
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is taken down
    sys.path.insert(0, str(HERE.parent / "end_to_end"))
    os.chdir(HERE)
    state = pathlib.Path(tempfile.mkdtemp(prefix="sft-slurm-"))
    state.chmod(0o755)  # munged wants a socket that everybody can reach
    with Cluster(state / "cluster") as cluster:
        print(call("sinfo", "--version").stdout.strip(), call("mpirun", "--version").stdout.split("\n")[0], f"nodes: {', '.join(cluster.nodes)}", sep="; ", flush=True)
        arguments = sys.argv[1:] or ["discover", "--start-directory", ".", "--verbose"]
        result = unittest.main(module=None, argv=["run.py", *arguments], exit=False).result
    if not result.wasSuccessful():
        print(f"the logs of the daemons are in {state}")
        return 1
    shutil.rmtree(state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
