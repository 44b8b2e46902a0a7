#!/usr/bin/env python3
"""Copies what an installed program loads beside it, so that the tree works wherever it is moved to, with the checkout gone:

    libraries.py PROGRAM LIBRARY... --into PREFIX/lib/sft-dist --licences PREFIX/share/doc/sft-dist/licences

Not copied: the C library and the runtime of the compiler, which belong to the system, and MPI, which belongs to the cluster."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

OF_THE_SYSTEM = re.compile(r"^(ld-linux.*|linux-vdso|lib(c|m|dl|rt|pthread|util|resolv|stdc\+\+|gcc_s))\.so")


def loaded(files):
    """Name → path of all that the dynamic loader opens for these files, as `ldd` tells it."""
    found = {}
    for file in files:
        listed = subprocess.run(["ldd", file], check=True, capture_output=True, text=True).stdout
        for name, path in re.findall(r"^\s*(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$", listed, re.M):
            if OF_THE_SYSTEM.match(name):
                continue
            if path == "not found":
                sys.exit(f"{file} needs {name}, which is not there")
            found[name] = pathlib.Path(path)
    return found


def copy(name, path, into):
    """Beside the others, where each finds the rest. LibTorch's own libraries look there as they are."""
    target = into / name
    shutil.copy(path.resolve(), target)
    target.chmod(0o755)
    subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", target], check=True)


def debian_package_of(path):
    """"" where there is none. A package may have recorded its file as of before /lib became a part of /usr."""
    if not shutil.which("dpkg-query"):
        return ""
    names = [path.resolve(), str(path.resolve()).removeprefix("/usr")]
    return subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True).stdout.split(":")[0]


def licence_of(path):
    """Of a Debian package its copyright file; of a wheel what it brings."""
    if owner := debian_package_of(path):
        return owner, [pathlib.Path("/usr/share/doc") / owner / "copyright"]
    for folder in path.resolve().parents:
        if folder.name == "site-packages":
            package = path.resolve().relative_to(folder).parts[0]
            return package, sorted(folder.glob(f"{package}*.dist-info/**/LICEN*")) + sorted(folder.glob(f"{package}*.dist-info/**/NOTICE*"))
    return path.name, []


def main():
    if not shutil.which("patchelf"):
        sys.exit("patchelf is missing, which tells the copied libraries where the others are; on Debian:  sudo apt-get install -y patchelf")
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="+")
    arguments.add_argument("--into", type=pathlib.Path, required=True)
    arguments.add_argument("--licences", type=pathlib.Path, required=True)
    asked = arguments.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    for name, path in sorted(loaded(asked.files).items()):
        copy(name, path, asked.into)
        package, texts = licence_of(path)
        if not texts:
            print(f"{path}: no licence is found for it; look for one before the tree is handed on", file=sys.stderr)
        for number, text in enumerate(texts):
            (asked.licences / package).mkdir(parents=True, exist_ok=True)
            shutil.copy(text.resolve(), asked.licences / package / (text.name if number == 0 else f"{number}-{text.name}"))


if __name__ == "__main__":
    main()
