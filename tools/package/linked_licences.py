#!/usr/bin/env python3
"""Copies the licences of what is linked into the program itself: the Rust crates of native/, with the C sources that they bring, and the headers of Debian packages.

    linked_licences.py native/Cargo.toml --cargo cargo --into PREFIX/share/doc/sft-dist/licences

A crate without a text of its own, whose licence stands in its Cargo.toml alone, leaves a file that says which it is."""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

HEADERS = ["libtomlplusplus-dev", "libcli11-dev", "nlohmann-json3-dev"]
TEXTS = ["LICENSE*", "LICENCE*", "COPYING*", "NOTICE*", "UNLICENSE*", "*/LICENSE*", "*/COPYING*"]


def linked_crates(cargo, manifest):
    """What cargo knows of each crate whose code is in the library: no macros, nothing that only builds or tests need."""
    host = next(line.split()[1] for line in subprocess.run([cargo, "-vV"], check=True, capture_output=True, text=True).stdout.splitlines() if line.startswith("host:"))
    told = json.loads(subprocess.run([cargo, "metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", host, "--manifest-path", manifest], check=True, capture_output=True, text=True).stdout)
    packages, nodes = ({entry["id"]: entry for entry in entries} for entries in (told["packages"], told["resolve"]["nodes"]))
    found, waiting = set(), [told["resolve"]["root"]]
    while waiting:
        here = waiting.pop()
        if here not in found and not any("proc-macro" in target["kind"] for target in packages[here]["targets"]):
            found.add(here)
            waiting += [child["pkg"] for child in nodes[here]["deps"] if any(kind["kind"] is None for kind in child["dep_kinds"])]
    return [packages[crate] for crate in sorted(found - {told["resolve"]["root"]})]


def copy_crate(crate, into):
    source = pathlib.Path(crate["manifest_path"]).parent
    texts = sorted({text for pattern in TEXTS for text in source.glob(pattern) if text.is_file() and text.suffix not in {".rs", ".c", ".h"}})
    target = into / f"{crate['name']}-{crate['version']}"
    target.mkdir(parents=True, exist_ok=True)
    for text in texts:
        shutil.copyfile(text, target / "-".join(text.relative_to(source).parts))
    if not texts:
        (target / "LICENSE").write_text(f"{crate['name']} {crate['version']}, {crate['repository'] or 'https://crates.io/crates/' + crate['name']}: {crate['license']}\n")


def copy_headers(package, into):
    text = pathlib.Path("/usr/share/doc") / package / "copyright"
    if not text.exists():
        print(f"{package}: its licence is not at {text}; add it before the tree is handed on", file=sys.stderr)
        return
    (into / package).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(text, into / package / "copyright")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("manifest", type=pathlib.Path)
    arguments.add_argument("--cargo", default="cargo")
    arguments.add_argument("--into", type=pathlib.Path, required=True)
    asked = arguments.parse_args()
    for crate in linked_crates(asked.cargo, asked.manifest):
        copy_crate(crate, asked.into)
    for package in HEADERS:
        copy_headers(package, asked.into)


if __name__ == "__main__":
    main()
