"""What the benchmark scripts share: programs of both sides as whole processes, what a run of ours has written, and the machine in a line."""
import concurrent.futures
import importlib.metadata
import json
import multiprocessing
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/sft-dist"
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    wide = " (AVX-512)" if "avx512f" in open("/proc/cpuinfo").read() else ""
    return f"{cpu}{wide}, {os.cpu_count()} cores"


def versions(*more):
    """Asked for without an import, which would make this process large: see apart()."""
    return ", ".join(f"{package} {importlib.metadata.version(package)}" for package in ("torch", "transformers", *more))


def apart(function, *arguments):
    """What a function returns, called in a process of its own. Linux keeps a process's peak memory over exec, so a program started from here never tells
    less than this script has at that time: whatever loads torch does it elsewhere."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        return pool.submit(function, *arguments).result()


def call(command, threads=None):
    """What a program printed and how many seconds it took from exec to exit; this script ends where the program fails."""
    started = time.time()
    environment = {**ENVIRONMENT, "BENCH_STARTED": str(started), **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout, time.time() - started


def mpirun(ranks, *options):
    """Under mpirun where there are several ranks, or options that say where one is to run."""
    return ["mpirun", "-np", ranks, "--oversubscribe", *options] if ranks > 1 or options else []


def torchrun(ranks):
    return [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", ranks] if ranks > 1 else [sys.executable]


class Run:
    """A training run of ours: its files once it has ended."""

    def __init__(self, name, config, *overrides, ranks=2, threads=None, mpi_options=()):
        self.directory = ROOT / "runs/bench" / name
        shutil.rmtree(self.directory, ignore_errors=True)
        _, self.seconds = call([*mpirun(ranks, *mpi_options), PROGRAM, f"configs/{config}.toml", f"output_dir={self.directory}", "save.save_strategy=no", "log.progress=none", *overrides], threads)
        self.summary = json.loads((self.directory / "summary.json").read_text())
        self.test = self.summary["test_metrics"]

    def steps(self):
        with open(self.directory / "metrics.jsonl", encoding="utf-8") as lines:
            return [step for step in map(json.loads, lines) if "samples_per_second" in step and "loss" in step]

    def costs(self):
        """The columns that the peer prints too."""
        return {"samples_per_second": self.summary["train_samples_per_second"], "first_step_seconds": self.summary["first_step_seconds"],
                "peak_rss_bytes": max(self.summary["peak_rss_bytes"]), "eval_samples_per_second": self.test["samples"] / self.test["seconds"], "wall": self.seconds}


def trainer(*options, ranks=2, threads=None):
    """transformers' Trainer: peer_trainer.py and its options."""
    out, seconds = call([*torchrun(ranks), "benchmarks/peer_trainer.py", *options], threads)
    return {**json.loads([line for line in out.splitlines() if line.startswith('{"accuracy"')][-1]), "wall": seconds}


def harmonic_mean(rates):
    return len(rates) / sum(1 / rate for rate in rates)


def medians(results, columns):
    return {name: {column: statistics.median(row[column] for row in rows) for column in columns} for name, rows in results.items()}


def ratios(ours, peer):
    return ", ".join(f"{column} {ours[column] / peer[column]:.3f}" for column in ours)
