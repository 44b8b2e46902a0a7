#!/usr/bin/env python3
"""Packs an installed tree three ways: dist.py TREE INTO

    sft-dist-VERSION-linux-x86_64.tar.gz   unpacked anywhere
    sft-dist_VERSION_amd64.deb             under /usr, LibTorch included
    sft_dist-VERSION-py3-none-*.whl        without LibTorch, which comes from torch's wheel; no Python at run time"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from wheel_file import write_wheel

GLIBC = "2.34"
GCC = "12"
SUMMARY = "Distributed supervised fine-tuning: raw rows and a Hugging Face model directory in, a model that transformers loads out"
# Where torch's wheel is, seen from the folder of a program or a library that pip has put into an environment.
OF_TORCH = ":".join(f"{folder}/python3.{minor}/{packages}/torch/lib" for minor in range(10, 15) for packages in ("site-packages", "dist-packages")
                    for folder in ("$ORIGIN/../lib", "$ORIGIN/../lib64", "$ORIGIN/..", "$ORIGIN/../../lib64"))


def of_nobody(member):
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def make_tarball(tree, version, into):
    with tarfile.open(into / f"sft-dist-{version}-linux-x86_64.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(tree, arcname=f"sft-dist-{version}", filter=of_nobody)


def make_deb(tree, version, into):
    if not shutil.which("dpkg-deb"):
        print("no .deb: dpkg-deb is not here")
        return
    with tempfile.TemporaryDirectory(dir=into) as folder:
        root = pathlib.Path(folder)
        root.chmod(0o755)
        shutil.copytree(tree, root / "usr", symlinks=True)
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(
            f"Package: sft-dist\nVersion: {version}\nArchitecture: amd64\nMaintainer: the sft-dist developers <sft-dist@localhost>\n"
            f"Depends: libc6 (>= {GLIBC}), libstdc++6 (>= {GCC}), libgcc-s1\nRecommends: openmpi-bin | mpich\nSection: science\nPriority: optional\nDescription: {SUMMARY}\n")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", root, into / f"sft-dist_{version}_amd64.deb"], check=True, stdout=subprocess.DEVNULL)


def is_of_torch(name):
    return re.match(r"lib(torch|c10|gomp|cudart|cupti|nvToolsExt|shm)", name) is not None


def make_wheel(tree, version, libtorch, into):
    with tempfile.TemporaryDirectory(dir=into) as folder:
        left = pathlib.Path(folder) / "tree"
        shutil.copytree(tree, left, ignore=lambda place, names: [name for name in names if place.endswith("lib/sft-dist") and is_of_torch(name)])
        for file, own in [(left / "bin/sft-dist", "$ORIGIN/../lib/sft-dist"), (left / "lib/sft-dist/libsft_cuda.so", "$ORIGIN")]:
            if file.exists():
                subprocess.run(["patchelf", "--set-rpath", f"{own}:{OF_TORCH}", file], check=True)
        metadata = (f"Metadata-Version: 2.1\nName: sft-dist\nVersion: {version}\nSummary: {SUMMARY}\nRequires-Dist: torch=={libtorch}\n"
                    f"Description-Content-Type: text/markdown\n\n{(tree / 'share/doc/sft-dist/README.md').read_text()}")
        write_wheel(left, into, "sft_dist", version, f"manylinux_{GLIBC.replace('.', '_')}_x86_64", metadata)


def main():
    tree, into = map(pathlib.Path, sys.argv[1:])
    os.umask(0o022)
    for kind in ("openmpi", "mpich"):
        if not (tree / f"lib/sft-dist/libsft_mpi_{kind}.so").exists():
            sys.exit(f"{tree} has no libsft_mpi_{kind}.so: the headers of that MPI were not there when it was built (tools/setup.sh dist)")
    told = subprocess.run([tree / "bin/sft-dist", "--version"], check=True, capture_output=True, text=True).stdout
    version, libtorch = re.findall(r"\d+\.\d+\.\d+", told)
    make_tarball(tree, version, into)
    make_deb(tree, version, into)
    make_wheel(tree, version, libtorch, into)
    for file in sorted(into.glob("*sft*")):
        print(f"{file.stat().st_size / 2**20:7.1f} MiB  {file}")


if __name__ == "__main__":
    main()
