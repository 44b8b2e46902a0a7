"""`predict` and `evaluate` on 2 ranks that are sent a signal at a random moment, most usefully under the address sanitizer.

A start ends soon, with its result, with 75 or, before it listens, by the signal; never by a fault of memory. Whatever it
leaves, the next one clears away.
"""
import collections
import os
import random
import re
import shutil
import signal
import subprocess
import time

from commands import Stage, strays

CORRUPT = re.compile(r"AddressSanitizer|runtime error|LeakSanitizer|corrupted|free\(\)|malloc\(\)|double free|invalid (?:size|pointer)|Assertion|terminate called|"
                     r"signal (?:4|6|7|8|11)\b|Segmentation|Aborted|Bus error")
MOST_SECONDS = 30  # from the signal to the end of the launcher


class Commands:
    def __init__(self, asked, folder):
        from harness import make_rows, write_rows

        self.stage = Stage(asked, folder)
        self.stage.config.write_text(self.stage.config.read_text().replace("deterministic = true\n", "threads = 1\n"))
        self.stage.succeed("train", self.stage.config)
        write_rows(folder / "many.jsonl", make_rows(1500, 9))
        self.run, self.rows, self.answers = self.stage.out / "run", folder / "many.jsonl", self.stage.out / "answers.jsonl"
        self.wanted, self.seconds = {}, {}
        for name in ("predict", "evaluate"):
            self.clear()
            since = time.time()
            done = self.stage.succeed(*self.words(name), ranks=2)
            self.wanted[name], self.seconds[name] = self.result(done.stdout), time.time() - since

    def words(self, name):
        if name == "predict":
            return "predict", self.run, "--input", self.rows, "--output", self.answers
        return "evaluate", self.run, "--file", self.rows

    def clear(self):
        self.answers.unlink(missing_ok=True)
        for made in (self.stage.out / "prepared").glob("file-*"):
            shutil.rmtree(made)

    def result(self, out):
        return (self.answers.read_bytes() if self.answers.exists() else b"", out)

    def start(self, name):
        words = [str(word) for word in self.stage.command(*self.words(name), ranks=2)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def strike(process, number, whom, draw):
    from harness import ranks_of

    ranks = ranks_of(process.pid)
    targets = {"mpirun": [process.pid], "a rank": ranks and [draw.choice(ranks)], "all ranks": ranks}[whom]
    for target in targets:
        try:
            os.kill(target, number)
        except ProcessLookupError:
            pass  # it has ended
    return bool(targets)


def trial(commands, draw, told):
    """What is wrong with one start; told counts how it ended."""
    name, number = draw.choice(("predict", "evaluate")), draw.choice((signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT))
    whom, after = draw.choice(("mpirun", "a rank", "all ranks")), draw.uniform(0, 1.1 * commands.seconds[name])
    from harness import end_job

    what = f"{name}, {number.name} to {whom} after {after:.2f} s"
    commands.clear()
    process = commands.start(name)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        pass
    came = process.poll() is None and strike(process, number, whom, draw)
    try:
        out, errors = process.communicate(timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        end_job(process)
        out, errors = process.communicate()
        return [f"{what}: it went on for {MOST_SECONDS} s: {errors}"]
    code = process.returncode
    told["the signal came after its end" if not came else "worked" if code == 0 else "ended with 75" if "stopped by a signal" in errors or code == 75 else "ended by the signal itself"] += 1
    wrong = [f"{what}: {errors}"] if CORRUPT.search(errors) else []
    if code == 0 and commands.result(out) != commands.wanted[name]:
        wrong.append(f"{what}: another result")
    if code != 0 and commands.answers.exists():
        wrong.append(f"{what}: a result, though it ended with {code}")
    if code not in (0, 1, 75) and code not in (number, -number, 128 + number):
        wrong.append(f"{what}: it ended with {code}: {errors}")
    return wrong


def run(asked, folder):
    commands, draw = Commands(asked, folder), random.Random(asked.seed)
    told, violations = collections.Counter(), []
    starts = asked.starts if asked.starts is not None else 3 if asked.short else 100
    for _ in range(starts):
        violations += trial(commands, draw, told)
    for name in ("predict", "evaluate"):
        commands.clear()
        if commands.result(commands.stage.succeed(*commands.words(name), ranks=2).stdout) != commands.wanted[name]:
            violations.append(f"{name} after all signals: another result")
    violations += [f"left: {path}" for path in strays(commands.stage.out)]
    yield "signals to predict and evaluate on 2 ranks (" + ", ".join(f"{count} {how}" for how, count in sorted(told.items())) + ")", starts, violations
