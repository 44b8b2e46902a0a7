#!/usr/bin/env python3
"""Makes each wrong edit of mutations.py in a copy of the code, builds, and tells which test sees it; fails where none does.

    run.py [NAME...]      those whose name holds one of these words; all without

The copy and its build lie in build-mutations/, so that a second run builds little. 20 minutes on 2 cores for all.
"""
import os
import pathlib
import subprocess
import sys
import time

from mutations import MUTATIONS

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build-mutations/source"
BUILD = ROOT / "build-mutations/build"
DEPS = pathlib.Path(os.environ.get("SFT_DEPS", ROOT / ".deps"))
PYTHON = DEPS / "venv/bin/python"
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "HF_HUB_OFFLINE": "1", "SFT_DIST": str(BUILD / "sft-dist")}


def call(*command, cwd=COPY, timeout=900, **more):
    return subprocess.run([str(word) for word in command], cwd=cwd, env={**ENVIRONMENT, **more}, capture_output=True, text=True, timeout=timeout)


def must(*command, cwd=COPY):
    done = call(*command, cwd=cwd, timeout=3600)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def prepare():
    """The tracked files as they are in the working tree, at the same times where nothing changed, so that little is built again."""
    COPY.mkdir(parents=True, exist_ok=True)
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, tracked):
        content, there = (ROOT / name).read_bytes(), COPY / name
        if not there.exists() or there.read_bytes() != content:
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(content)
            there.chmod((ROOT / name).stat().st_mode)
    if not (BUILD / "build.ninja").exists():
        must("cmake", "-G", "Ninja", f"-DSFT_DEPS={DEPS}", "-DCMAKE_BUILD_TYPE=Release", "-DSFT_UNITY=OFF", "-B", BUILD)


def build(target):
    targets = ["cuda_on_host", "test_device"] if target == "cuda_on_host" else [target]
    return call("cmake", "--build", BUILD, "-j", os.cpu_count(), "--target", *targets, timeout=3600)


def binary(target):
    return next(path for path in BUILD.rglob(target) if path.is_file() and os.access(path, os.X_OK))


def passes(test):
    """And what says so: the first line that tells of a failure."""
    target, which = test.split(": ", 1)
    if target == "sft-dist":
        done = call(PYTHON, "-m", "unittest", which, cwd=COPY / "tests/end_to_end")
        marks = ("FAIL:", "ERROR:")
    elif target == "cuda_on_host":
        for order in ("forwards", "backwards"):
            done = call(binary("test_device"), f"--gtest_filter={which}", LD_LIBRARY_PATH=str(BUILD / "cuda_on_host"), SFT_CUDA_ON_HOST_ORDER=order)
            if done.returncode:
                break
        marks = ("[  FAILED  ]",)
    elif which.endswith(".py"):
        done = call(PYTHON, COPY / "tests/parity" / which, binary(target))
        marks = ("FAIL", "differ")
    else:
        done = call(binary(target), f"--gtest_filter={which}")
        marks = ("[  FAILED  ]",)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if any(mark in line for mark in marks)]
    return done.returncode == 0, lines[0].replace("[  FAILED  ]", "").strip()[:100] if lines else f"exit {done.returncode}"


def try_one(mutation):
    """What saw it, or nothing."""
    path = COPY / mutation.file
    right = path.read_text()
    if right.count(mutation.right) != 1:
        sys.exit(f"{mutation.name}: {mutation.file} no longer holds, once: {mutation.right}")
    try:
        path.write_text(right.replace(mutation.right, mutation.wrong))
        for test in mutation.tests:
            target = test.split(": ")[0]
            built = build(target)
            if built.returncode:
                sys.exit(f"{mutation.name} does not compile:\n{built.stdout[-3000:]}")
            good, line = passes(test)
            if not good:
                return f"{target}: {line}"
        return None
    finally:
        path.write_text(right)


def main():
    words = sys.argv[1:]
    chosen = [m for m in MUTATIONS if not words or any(word in m.name for word in words)]
    prepare()
    for test in sorted({test for m in chosen for test in m.tests}):  # all must pass on the right code
        built = build(test.split(": ")[0])
        if built.returncode:
            sys.exit(built.stdout[-3000:])
        good, line = passes(test)
        if not good:
            sys.exit(f"{test} fails on the code as it is: {line}")
    unseen = 0
    for mutation in chosen:
        started = time.time()
        seen_by = try_one(mutation)
        unseen += seen_by is None
        print(f"{mutation.name:<58} {'seen by ' + seen_by if seen_by else 'NOT SEEN'}  ({time.time() - started:.0f} s)", flush=True)
    print(f"{len(chosen) - unseen} of {len(chosen)} wrong edits are seen")
    sys.exit(1 if unseen else 0)


if __name__ == "__main__":
    main()
