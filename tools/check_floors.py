#!/usr/bin/env python3
"""Fails when a folder includes one above it or a neighbour on its floor. The floors are listed once, lowest first."""
import pathlib
import re
import sys

FLOORS = [
    ["base", "native"],
    ["comm", "data/hash", "data/hdf5", "data/images", "data/native"],
    ["data/readers", "data/text"],
    ["data/samples"],
    ["data/loading", "data/prepare"],
    ["trainer/tasks/recipes"],
    ["trainer/models", "trainer/optim", "trainer/metrics", "trainer/checkpoint", "trainer/telemetry"],
    ["trainer/tasks", "trainer/adapters", "trainer/parallel", "trainer/model_files"],
    ["trainer/learner", "trainer/config"],
    ["trainer/loop", "trainer/report"],
    ["trainer/assembly"],
    ["trainer/range_test", "trainer/preflight"],
    ["launch"],
]
# What tasks make of raw rows is a room of its own below models: without torch, though it stands in the tasks' folders.
RECIPES = re.compile(r"trainer/tasks/[^/]+/(recipe|rows/\w+)\.(h|cpp)$")
# An optimizer and a model agree on what a parameter is.
SHARED = {"trainer/models/parameter.h"}
SOURCES = {".h", ".cpp", ".cu"}


def floor_of(path):
    """(level, folder) of a file, by the longest folder name that holds it; None outside the house."""
    if RECIPES.match(path):
        path = "trainer/tasks/recipes/"
    found = [(len(name), level, name) for level, row in enumerate(FLOORS) for name in row if path.startswith(name + "/")]
    return max(found)[1:] if found else None


def forbidden(here, there):
    return there[0] > here[0] or (there[0] == here[0] and there[1] != here[1])


def upward_includes(root):
    folders = sorted({name.split("/")[0] for row in FLOORS for name in row})
    for source in sorted(p for folder in folders for p in (root / folder).rglob("*") if p.suffix in SOURCES):
        name = source.relative_to(root).as_posix()
        here = floor_of(name)
        if here is None:
            yield f"{name}: no room has this file; the rooms are listed in tools/check_floors.py"
            continue
        for number, line in enumerate(source.read_text(errors="ignore").splitlines(), 1):
            included = re.match(r'\s*#include "([^"]+)"', line)
            there = included and included[1] not in SHARED and floor_of(included[1])
            if there and forbidden(here, there):
                yield f"{name}:{number}: {here[1]} may not include {included[1]}"


if __name__ == "__main__":
    problems = list(upward_includes(pathlib.Path(sys.argv[1])))
    print("\n".join(problems) or "floors: ok")
    sys.exit(bool(problems))
