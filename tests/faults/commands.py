"""The program as a user starts it, ended at its changes of files; the same command then does what it would have done."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "end_to_end"))
from killing import Killing, points


class Stage:
    """A model, rows and a config of a run that gives the same bits on any number of ranks."""

    def __init__(self, asked, folder, **sections):
        from harness import make_model, make_rows, write_rows

        self.program, self.folder = asked.program, folder
        if not (folder / "model").exists():
            make_model(folder / "model")
            write_rows(folder / "train.jsonl", make_rows(40, 1))
            write_rows(folder / "validation.jsonl", make_rows(12, 2))
        self.config = folder / "run.toml"
        self.config.write_text(f"""output_dir = "{folder}/out/run"
deterministic = true
device = "cpu"
[model]
model_name_or_path = "{folder}/model"
[data]
train_file = "{folder}/train.jsonl"
validation_file = "{folder}/validation.jsonl"
prepared_dir = "{folder}/out/prepared"
max_length = 32
[train]
max_steps = 6
global_batch_size = 8
[save]
save_strategy = "steps"
save_steps = 2
save_total_limit = 2
[log]
progress = "none"
[sweep]
[sweep.parameters]
"optim.learning_rate" = [1e-3, 2e-3]
""" + sections.get("lora", ""))
        self.out = folder / "out"

    def command(self, *words, ranks=1):
        launcher = ["mpirun", "-np", str(ranks), "--oversubscribe"] if ranks > 1 else []
        return launcher + [self.program, *words]

    def succeed(self, *words, ranks=1):
        done = subprocess.run([str(word) for word in self.command(*words, ranks=ranks)], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"{words} ends with {done.returncode}: {done.stderr}")
        return done


def content_of(folder, *left_out):
    """Bytes by the path of each file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not any(word in str(path.relative_to(folder)) for word in left_out)}


def strays(folder):
    """What no run that ended well leaves."""
    marks = (".tmp-", ".tmp.", ".trash-", ".partial-", ".old-", ".scratch-", "corrupt")
    return [str(path) for path in folder.rglob("*") if any(mark in path.name for mark in marks)]


def trial(stage, killing, words, ranks, before, wanted, look, number, how, again=None):
    """What is wrong after a kill and the next start; [] where nothing is."""
    shutil.rmtree(stage.out, ignore_errors=True)
    if before is not None:
        shutil.copytree(before, stage.out, symlinks=True)
    if killing.run(stage.command(*words, ranks=ranks), KILL_AT=number, KILL_HOW=how).returncode == 0:
        return ["it was not ended"]
    try:
        stage.succeed(*(again(stage) if again else words))
    except RuntimeError as error:
        return [str(error)]
    found = look(stage)
    wrong = [f"{name} differs" for name in sorted(found.keys() | wanted.keys()) if found.get(name) != wanted.get(name)]
    return wrong + [f"left: {path}" for path in strays(stage.out)]


def part(asked, folder, what, words, look, prepare=None, ranks=1, rank=None, most=None, again=None, **sections):
    stage = Stage(asked, folder, **sections)
    shutil.rmtree(stage.out, ignore_errors=True)
    before = None
    if prepare:
        prepare(stage)
        before = folder / "before"
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(stage.out, before, symlinks=True)
    killing = Killing(asked.kill_at, stage.out, rank)
    (folder / "list").unlink(missing_ok=True)
    changes = killing.changes(stage.command(*words(stage), ranks=ranks), folder / "list")
    wanted = look(stage)
    if not wanted:
        raise RuntimeError(f"{what}: nothing to compare")
    violations = []
    trials = points(changes, most)
    for number, how in trials:
        for wrong in trial(stage, killing, words(stage), ranks, before, wanted, look, number, how, again):
            violations.append(f"{what}, {how} change {number} ({changes[number - 1]}): {wrong}")
    return f"kills of {what} at {len(changes)} changes of files", len(trials), violations


def of_run(stage):
    return content_of(stage.out / "run" / "model", ".sft-dist")


def of_adapter(stage):
    return {**of_run(stage), **{f"adapter/{name}": data for name, data in content_of(stage.out / "run" / "adapter", ".sft-dist").items()}}


def run(asked, folder):
    short = asked.short
    os.environ.setdefault("OMPI_MCA_btl_vader_single_copy_mechanism", "none")
    train = lambda stage: ("train", stage.config)
    trained = lambda stage: stage.succeed("train", stage.config)
    yield part(asked, folder, "prepare", lambda stage: ("prepare", stage.config), lambda stage: {name: len(data) for name, data in content_of(stage.out / "prepared").items()}, most=4 if short else None)
    yield part(asked, folder, "export", lambda stage: ("export", stage.out / "run", "--output", stage.out / "exported"), lambda stage: content_of(stage.out / "exported", ".sft-dist"),
               prepare=trained, most=4 if short else None, again=lambda stage: ("export", stage.out / "run", "--output", stage.out / "exported") if not (stage.out / "exported").exists() else ("inspect", stage.out / "exported"))
    yield part(asked, folder, "a sweep's table", lambda stage: ("sweep", stage.config), lambda stage: content_of(stage.out / "run", "optim", "report", "exit_status", ".sft-dist"),
               prepare=lambda stage: stage.succeed("sweep", stage.config), most=4 if short else None)
    yield part(asked, folder, "train, alone", train, of_run, most=6 if short else None)
    yield part(asked, folder, "train with adapters", train, of_adapter, most=3 if short else None, lora="[lora]\nr = 2\n")
    if not short:
        for rank in (0, 3):
            yield part(asked, folder, f"train, rank {rank} of 4", train, of_run, ranks=4, rank=rank, most=60)
