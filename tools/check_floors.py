#!/usr/bin/env python3
"""Fails when a folder includes one above it or a neighbour on its floor, or when a task is named in more files than the
house needs. The floors are listed once, lowest first."""
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
    ["trainer/models", "trainer/optim", "trainer/metrics", "trainer/checkpoint", "trainer/telemetry", "trainer/plugins", "trainer/planning"],
    ["trainer/tasks", "trainer/adapters", "trainer/parallel", "trainer/model_files"],
    ["trainer/learner", "trainer/config", "trainer/onnx"],
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
# What a task alone says: its names, those of its settings and of its files. They stand in its folder and its reader, in
# the tokenizer's call and in metrics; elsewhere in as few files as these: the table of tasks, and the classes of models.
TASK_WORDS = {
    "question_answering": (
        r"question.?answering|QUESTION_ANS|qa_outputs|squad|doc_stride|n_best|max_answer_length|null_score|"
        r"version_2_with_negative|answer_unit"
    )
}
ROOMS_OF_TASKS = ("data/readers/", "data/text/", "trainer/metrics/")
MOST_FILES = 3


def floor_of(path):
    """(level, folder) of a file, by the longest folder name that holds it; None outside the house."""
    if RECIPES.match(path):
        path = "trainer/tasks/recipes/"
    found = [(len(name), level, name) for level, row in enumerate(FLOORS) for name in row if path.startswith(name + "/")]
    return max(found)[1:] if found else None


def forbidden(here, there):
    return there[0] > here[0] or (there[0] == here[0] and there[1] != here[1])


def sources(root):
    folders = sorted({name.split("/")[0] for row in FLOORS for name in row})
    return sorted(p for folder in folders for p in (root / folder).rglob("*") if p.suffix in SOURCES)


def upward_includes(root):
    for source in sources(root):
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


def scattered_tasks(root):
    for task, words in TASK_WORDS.items():
        own = (f"trainer/tasks/{task}/", *ROOMS_OF_TASKS)
        files = [p.relative_to(root).as_posix() for p in sources(root) if re.search(words, p.read_text(errors="ignore"), re.IGNORECASE)]
        elsewhere = [name for name in files if not name.startswith(own)]
        if len(elsewhere) > MOST_FILES:
            yield f"{task} is named in {len(elsewhere)} files outside its rooms, {MOST_FILES} at most: {', '.join(elsewhere)}"


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    problems = [*upward_includes(root), *scattered_tasks(root)]
    print("\n".join(problems) or "floors: ok")
    sys.exit(bool(problems))
