"""What happens to a run in a soak: one fault each, drawn by chance."""
import os
import pathlib
import signal
import subprocess
import time


def processes(mark):
    """{process: name} of all that has this mark in its environment."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = (process / "comm").read_text().strip()
        except OSError:
            continue  # it has ended
    return found


class Job:
    """The processes of a run that is under way, found by a mark in their environment."""

    def __init__(self, mark, out):
        self.mark, self.out = mark, out

    def named(self, name):
        return [process for process, its_name in sorted(processes(self.mark).items()) if its_name == name]

    def send(self, number, targets):
        for target in targets:
            try:
                os.kill(target, number)
            except ProcessLookupError:
                pass  # it has just ended

    def ranks(self):
        return self.named("sft-dist")

    def launcher(self):
        return self.named("mpirun")


def full_disk(job, draw):
    """Other people's data fills the disk of the run, until half a minute later there is room again."""
    filler = job.out.parent / "filler"
    with open(filler, "wb", buffering=0) as disk:
        block = bytes(1 << 16)
        try:
            while True:
                disk.write(block)
        except OSError:
            pass
    time.sleep(draw.uniform(5, 30))
    filler.unlink()


def suspended(job, draw):
    ranks = job.ranks()
    job.send(signal.SIGSTOP, ranks)
    time.sleep(draw.uniform(1, 12))
    job.send(signal.SIGCONT, ranks)


FAULTS = {
    "one rank killed": lambda job, draw: job.send(signal.SIGKILL, job.ranks()[draw.randrange(2):][:1]),
    "all ranks killed": lambda job, draw: job.send(signal.SIGKILL, job.ranks()),
    "mpirun killed": lambda job, draw: job.send(signal.SIGKILL, job.launcher()),
    "all killed": lambda job, draw: job.send(signal.SIGKILL, job.launcher() + job.ranks()),
    "TERM to a rank": lambda job, draw: job.send(signal.SIGTERM, job.ranks()[:1]),
    "USR1 to mpirun": lambda job, draw: job.send(signal.SIGUSR1, job.launcher()),
    "USR2 to a rank": lambda job, draw: job.send(signal.SIGUSR2, job.ranks()[1:]),
    "INT to mpirun": lambda job, draw: job.send(signal.SIGINT, job.launcher()),
    "one rank stopped": lambda job, draw: job.send(signal.SIGSTOP, job.ranks()[draw.randrange(2):][:1]),
    "all ranks suspended for a while": suspended,
    "full disk": full_disk,
}


def can_mount(folder):
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True).returncode != 0:
        return False
    return True
