"""Power cuts: an ext4 image on a loop device is copied while four ranks save to it, and the copy is what a disk holds.

The writer is held while the image is copied, and the copy is of one moment; what its file system has not written by
then is lost. A writer that never syncs must be found out by the same cuts, or they prove nothing.
"""
import contextlib
import filecmp
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time


def new_image(path):
    """A new file each time: a mount may live on in another mount namespace, and write to the old one."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as disk:
        disk.truncate(48 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True, capture_output=True)
    return path


def mount(image, folder):
    folder.mkdir(exist_ok=True)
    return subprocess.run(["mount", "-o", "loop,commit=1", image, folder], capture_output=True, text=True)


def unmount(folder):
    for _ in range(50):
        if subprocess.run(["umount", folder], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError(f"{folder} stays mounted")


@contextlib.contextmanager
def mounted(image, folder):
    done = mount(image, folder)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    try:
        yield folder
    finally:
        unmount(folder)


class Writer:
    """Saves without end; saved() are the steps that it has reported."""

    def __init__(self, program, run, first, *careless):
        self.process = subprocess.Popen([program, "save", run, "4", str(first), "0", *careless], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = b""

    def saved(self):
        while more := self.process.stdout.read():
            self.text += more
        return [int(line.split()[1]) for line in self.text.splitlines() if line.startswith(b"saved ")]

    def hold(self):
        """What it has reported when all of its threads have stopped."""
        os.kill(self.process.pid, signal.SIGSTOP)
        while not all(self.is_stopped(task) for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()):
            time.sleep(0.001)
        return self.saved()

    @staticmethod
    def is_stopped(task):
        return (task / "stat").read_text().rpartition(")")[2].split()[0] in ("T", "Z", "X")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def copy_of_one_moment(image, copy):
    """The file system writes on while the writer is held, and a copy takes its time: two that agree are of one moment."""
    again = copy.with_suffix(".again")
    copy.unlink(missing_ok=True)
    shutil.copyfile(image, copy)
    while True:
        shutil.copyfile(image, again)
        if filecmp.cmp(copy, again, shallow=False):
            return
        again.replace(copy)


def why_not(folder):
    """Why no image can be made and mounted here; "" where it can."""
    try:
        image = new_image(folder / "probe")
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    done = mount(image, folder / "probed")
    if done.returncode == 0:
        unmount(folder / "probed")
    return done.stderr.strip() if done.returncode != 0 else ""


DID_NOT_SAVE = "the writer did not save"


def cut(asked, folder, draw, *careless):
    """What is wrong after a cut at some moment; "" where nothing is."""
    image, copy = new_image(folder / "disk"), folder / "copy"
    with mounted(image, folder / "mounted") as place:
        writer = Writer(asked.checkpoints, place, 1, *careless)
        try:
            deadline = time.time() + 20
            while len(writer.saved()) < 2 and time.time() < deadline:
                time.sleep(0.005)
            time.sleep(draw.uniform(0, 1.5 if careless else 0.4))
            if writer.process.poll() is not None or len(writer.saved()) < 2:
                return DID_NOT_SAVE
            reported = writer.hold()
            copy_of_one_moment(image, copy)
        finally:
            writer.end()
    with mounted(copy, folder / "after") as place:
        judged = subprocess.run([asked.checkpoints, "judge", place, str(reported[-1] if reported else 0), *[str(step) for step in reported[-1:]]], capture_output=True, text=True)
    return "" if judged.returncode == 0 else judged.stdout + judged.stderr


def run(asked, folder):
    draw = random.Random(18)
    if os.geteuid() != 0:
        print("power: skipped, mounts want root")
        return
    if problem := why_not(folder):
        print(f"power: skipped, {problem}")
        return
    cuts = 4 if asked.short else 120
    violations = [wrong for wrong in (cut(asked, folder, draw) for _ in range(cuts)) if wrong]
    yield "power cuts on ext4 while 4 ranks save", cuts, violations
    careless = 3 if asked.short else 20
    found = [wrong for wrong in (cut(asked, folder, draw, "never_syncs") for _ in range(careless)) if wrong not in ("", DID_NOT_SAVE)]
    yield f"power cuts with a writer that never syncs, of which {len(found)} found it out", careless, [] if found else ["power cuts do not find out a writer that never syncs"]
