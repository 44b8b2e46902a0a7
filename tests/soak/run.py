"""A run that meets a fault a minute and is started again by tools/restart.sh: in the end its weights and its log are those
of a run that nothing disturbed, to the bit, but for lines that a full disk did not take, which is told; and nothing is
left of what died.

    run.py --program SFT_DIST [--minutes 30] [--seed N] [--every SECONDS]
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "end_to_end")]
from faults import FAULTS, Job, can_mount, full_disk, processes

RESTART = HERE.parents[1] / "tools" / "restart.sh"
UPDATES_A_SECOND = 2.5  # while it sleeps 0.3 s in each; starts and saves take their time too


def write_config(path, folder, out, updates):
    path.write_text(f"""output_dir = "{out}/run"
threads = 1
device = "cpu"
[model]
model_name_or_path = "{folder}/model"
[data]
train_file = "{folder}/train.jsonl"
validation_file = "{folder}/validation.jsonl"
prepared_dir = "{out}/prepared"
max_length = 32
[train]
max_steps = {updates}
global_batch_size = 8
[optim]
learning_rate = 1e-3
[eval]
eval_strategy = "steps"
eval_steps = 50
[save]
save_strategy = "steps"
save_steps = 20
save_total_limit = 2
[log]
logging_steps = 1
progress = "none"
[comm]
timeout_seconds = 6
""")
    return path


def log_of(run):
    """All that is told of each update and evaluation, times left out."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return sorted(json.dumps({key: value for key, value in row.items() if key in ("step", "epoch", "loss", "grad_norm", "learning_rate", "eval_loss", "eval_accuracy")}, sort_keys=True) for row in rows)


def strays(folder):
    marks = (".tmp-", ".tmp.", ".trash-", ".partial-", ".old-", ".scratch-", "corrupt", ".lock.")
    return [str(path) for path in folder.rglob("*") if any(mark in path.name for mark in marks)]


class Soak:
    def __init__(self, asked, folder):
        from harness import make_model, make_rows, write_rows

        self.asked, self.folder = asked, folder
        make_model(folder / "model")
        write_rows(folder / "train.jsonl", make_rows(400, 1))
        write_rows(folder / "validation.jsonl", make_rows(40, 2))
        self.out, self.temporary = folder / "out", folder / "tmp"
        self.temporary.mkdir()
        self.mounted = can_mount(self.out)
        self.updates = max(100, int(asked.minutes * 60 * UPDATES_A_SECOND * 0.7))
        self.jobs = set()
        self.mark = f"SFT_SOAK={uuid.uuid4()}"
        self.command = ["mpirun", "-np", "2", "--oversubscribe", str(asked.program), "train"]

    def close(self):
        if self.mounted:
            shutil.copytree(self.out, self.folder / "left")
            subprocess.run(["umount", "-l", self.out], check=True)

    def environment(self, **more):
        name, value = self.mark.split("=")
        return {**os.environ, name: value, "TMPDIR": str(self.temporary), "PAUSE": "1", **more}

    def in_peace(self):
        peace = self.folder / "peace"
        done = subprocess.run([*self.command, write_config(self.folder / "peace.toml", self.folder, peace, self.updates)], env=self.environment(), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the undisturbed run ends with {done.returncode}: {done.stderr}")
        return peace / "run"

    def faults(self, restarts, draw):
        """Until the run is done. Each fault waits for two ranks that have saved since the last one: three starts that save nothing end a run."""
        told = collections.Counter()
        names = [name for name in FAULTS if self.mounted or FAULTS[name] is not full_disk]
        job, bag, saved = Job(self.mark, self.out / "run"), [], 0
        while restarts.poll() is None:
            due = time.time() + draw.uniform(0.5, 1.5) * self.asked.every
            while restarts.poll() is None and (time.time() < due or self.saved() <= saved or len(job.ranks()) != 2):
                time.sleep(0.2)
                self.watch_jobs()
            if restarts.poll() is not None:
                break
            saved = self.saved()
            bag = bag or draw.sample(names, len(names))  # each comes once before one comes again
            name = bag.pop()
            print(f"{time.time() - self.since:6.0f} s, update {self.step()} of {self.updates}: {name}", flush=True)
            told[name] += 1
            FAULTS[name](job, draw)
        return told

    def watch_jobs(self):
        """By which names the launchers keep shared memory: others may use this host's meanwhile."""
        for contact in self.temporary.glob("ompi.*/pid.*/contact.txt"):
            with contextlib.suppress(OSError, ValueError):
                self.jobs.add(f"{int(contact.read_text().split('.')[0]) + 1:x}")

    def saved(self):
        return max((int(path.name.split("-")[1]) for path in (self.out / "run").glob("checkpoint-*") if path.name.split("-")[1].isdigit()), default=0)

    def step(self):
        try:
            return json.loads((self.out / "run" / "metrics.jsonl").read_text().splitlines()[-1])["step"]
        except (OSError, IndexError, ValueError, KeyError):
            return 0

    def run(self):
        wanted = self.in_peace()
        self.since = time.time()
        with open(self.folder / "log", "wb") as log:
            restarts = subprocess.Popen([RESTART, *self.command, write_config(self.folder / "soak.toml", self.folder, self.out, self.updates)], stdout=log, stderr=log,
                                        env=self.environment(SFT_FAILPOINTS="trainer.step=sleep:0.3"))
            try:
                told = self.faults(restarts, random.Random(self.asked.seed))
            finally:
                restarts.terminate() if restarts.poll() is None else None
                restarts.wait()
        text = (self.folder / "log").read_text(errors="replace")
        print(f"{sum(told.values())} faults, {text.count('restart: the run ended')} starts behind them, {time.time() - self.since:.0f} s:", ", ".join(f"{name} {count}" for name, count in sorted(told.items())))
        return told, restarts.returncode, text, list(self.wrong(wanted, text)) if restarts.returncode == 0 else []

    def wrong(self, wanted, text):
        found = self.out / "run"
        if (found / "model" / "model.safetensors").read_bytes() != (wanted / "model" / "model.safetensors").read_bytes():
            yield "other weights than those of the undisturbed run"
        lines, wanted_lines = (collections.Counter(log_of(run)) for run in (found, wanted))
        yield from (f"logged, and not in the undisturbed run: {line}" for line in lines - wanted_lines)
        if (lost := wanted_lines - lines) and "what is logged now is lost" not in text:
            yield f"{len(lost)} lines of the log are missing, and no full disk was told"
        if not self.jobs:
            yield "no launcher was seen"
        time.sleep(5)  # in which what a killed launcher has left ends
        yield from (f"left: process {process} ({name})" for process, name in processes(self.mark).items())
        yield from (f"left: {path}" for path in strays(self.out))
        yield from (f"left: {path}" for path in self.temporary.rglob("*") if path.parent == self.temporary and not is_empty_session(path))
        yield from (f"left: {path}" for path in pathlib.Path("/dev/shm").glob("*") if any(job in path.name.split(".") for job in self.jobs))


def is_empty_session(path):
    """Open MPI keeps the folder of all its sessions."""
    return path.name.startswith("ompi.") and not any(path.iterdir())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=60, help="seconds between faults")
    parser.add_argument("--seed", type=int, default=random.randrange(1000))
    asked = parser.parse_args()
    asked.program = asked.program.resolve()
    os.environ["SFT_DIST"] = str(asked.program)
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "HF_HUB_OFFLINE"):
        os.environ.setdefault(name, "1")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sft-soak-"))
    soak = Soak(asked, folder)
    print(f"{soak.updates} updates on 2 ranks, a fault every {asked.every:.0f} s, seed {asked.seed}" + ("" if soak.mounted else "; no full disk: mounts want root"), flush=True)
    try:
        told, code, text, wrong = soak.run()
    finally:
        soak.close()
    if code != 0:
        wrong = [f"the run ended with {code}: {text[-3000:]}"]
    if not told:
        wrong.append("nothing disturbed it")
    print(f"soak: {len(wrong)} violations" + "".join(f"\n    {one}" for one in wrong))
    if wrong:
        print(f"what it left is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
