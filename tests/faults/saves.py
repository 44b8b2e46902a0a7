"""Every change of files that a save by four ranks makes, pruning included, is the last thing that the process does."""
import shutil
import subprocess

from killing import Killing, points


def reported(out):
    return [int(line.split()[1]) for line in out.splitlines() if line.startswith("saved")]


def run(asked, folder):
    peace, work = folder / "peace", folder / "work"
    peace.mkdir()
    subprocess.run([asked.checkpoints, "save", peace, "4", "1", "2"], check=True, capture_output=True)
    shutil.copytree(peace, work)
    killing = Killing(asked.kill_at, work)
    command = [asked.checkpoints, "save", work, "4", "3", "4"]
    changes = killing.changes(command, folder / "list")
    trials = points(changes, 60 if asked.short else None)
    violations = []
    for number, how in trials:
        shutil.rmtree(work)
        shutil.copytree(peace, work)
        done = killing.run(command, KILL_AT=number, KILL_HOW=how)
        if done.returncode == 0:
            violations.append(f"{how} change {number} ({changes[number - 1]}): it was not ended")
        # One that is pruned by the save behind it is no loss.
        told = [step for step in reported(done.stdout) if step > 2][-1:]
        judged = subprocess.run([asked.checkpoints, "judge", work, "2"] + [str(step) for step in told], capture_output=True, text=True)
        if judged.returncode != 0:
            violations.append(f"{how} change {number} ({changes[number - 1]}): {judged.stdout}{judged.stderr}")
    yield f"kills at {len(changes)} changes of files in two saves by 4 ranks", len(trials), violations
