"""Debian's package descriptions: real text with a section, tags and an installed size, as apt's package lists have it. Only the
standard library is needed, and apt on a Debian system.

Rows are split by a hash of the source package, so that near-duplicates (libfoo1, libfoo-dev) stay on one side.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import typing

DEMO = pathlib.Path(__file__).resolve().parent.parent / "demo"


class Description(typing.NamedTuple):
    package: str
    source: str
    section: str
    short: str
    text: str
    tags: list
    installed_kib: int

    @property
    def held_out(self):
        return stable_hash("split:" + self.source) % 10 == 0


def say(message):
    print(f"[demo] {message}", flush=True)


def fail(*lines):
    sys.exit("\n".join(f"[demo] {line}" for line in lines))


def stable_hash(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def apt_options(folder, language="en"):
    """Of an apt with lists and a cache of its own in `folder`."""
    options = [f"Dir::State::lists={folder}/lists", f"Dir::Cache={folder}/cache", f"Acquire::Languages={language}",
               "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false", "APT::Sandbox::User=root" if os.geteuid() == 0 else "Debug::NoLocking=true"]
    return [part for option in options for part in ("-o", option)]


def package_lists(folder, language="en"):
    """Brings Packages and Translation-en, or that of another language, into a private folder: the system's own lists are left alone."""
    if not shutil.which("apt-get"):
        fail("the demo's text comes from Debian's package lists, and apt-get is not on this system.",
             "Bring rows of your own instead: JSONL with the keys text and label; see README, 'Your own data'.")
    (folder / "lists/partial").mkdir(parents=True)
    (folder / "cache/archives/partial").mkdir(parents=True)
    done = subprocess.run(["apt-get", "update", "-qq"] + apt_options(folder, language), capture_output=True, text=True)
    found = {kind: sorted(p for p in (folder / "lists").iterdir() if kind.replace("_", "%5f") in p.name and "main" in p.name)
             for kind in ("Packages", f"Translation-{language}")}
    for kind, files in found.items():
        if not files:
            fail(f"apt brought no {kind} list: {done.stderr.strip()[:400]}", "The demo's text needs it; is a Debian mirror reachable?")
    return found


def stanzas(path):
    text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", str(path)], capture_output=True, check=True).stdout.decode("utf-8", "replace")
    for block in text.split("\n\n"):
        fields, key = {}, None
        for line in block.split("\n"):
            if line[:1] in " \t" and key:
                fields[key] += "\n" + line
            elif ":" in line:
                key, value = line.split(":", 1)
                fields[key] = value.strip()
        if fields:
            yield fields


def long_form(description):
    lines = [line.strip() for line in description.split("\n")]
    return re.sub(r"\s+", " ", " ".join(line for line in lines if line != "."))


def long_texts(lists):
    """Of each description by its hash, as it is broken into lines."""
    return {fields.get("Description-md5"): fields["Description-en"] for path in lists["Translation-en"] for fields in stanzas(path) if "Description-en" in fields}


def descriptions(lists):
    """One a package, by name."""
    whole = long_texts(lists)
    seen = {}
    for path in lists["Packages"]:
        for fields in stanzas(path):
            if "Section" not in fields or "Description" not in fields:
                continue
            seen.setdefault(fields["Package"], Description(
                package=fields["Package"],
                source=fields.get("Source", fields["Package"]).split(" ")[0],
                section=fields["Section"].split("/")[-1],
                short=fields["Description"].split("\n")[0].strip(),
                text=long_form(whole.get(fields.get("Description-md5"), fields["Description"])),
                tags=sorted(set(re.split(r"[,\s]+", fields.get("Tag", ""))) - {""}),
                installed_kib=int(fields.get("Installed-Size", "0"))))
    return [seen[package] for package in sorted(seen)]


def fetch_descriptions():
    say("fetching Debian's package lists (about 15 MB)")
    with tempfile.TemporaryDirectory() as folder:
        return descriptions(package_lists(pathlib.Path(folder)))


def in_fixed_order(rows):
    return sorted(rows, key=lambda row: stable_hash("order:" + row.package))
