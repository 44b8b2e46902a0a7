#!/usr/bin/env python3
"""Derives a tagged demo from Debian's package descriptions, by rule, in CoNLL (a word and its tag a line). Writes under
demo/data/ (git-ignored): tagged_train.conll (4,000 sentences), tagged_validation.conll (800), tagged_test.conll (1,500).

    PKG   a package's name where it stands as a word: all that are no common word and have a digit, - or +, or begin
          with lib or python; the rules know all packages, a reader of one sentence must tell them by shape and context
    VER   a version: 1.2.3, v2, and what compares it (>= 1.4)
    FILE  a path, or a name with an ending that files have
    CMD   an option (--help), and a name with its manual's section: ls(1)
    PER   two or three capitalised words behind "written by", "developed by" and the like

Sentences are split by a hash of the source package, so that near-duplicates stay on one side. Half of them hold an
entity. A second call does nothing.
"""
import collections
import pathlib
import re
import tempfile

from debian_descriptions import DEMO, long_texts, package_lists, say, stable_hash, stanzas

WORD = re.compile(r"--?[A-Za-z][\w-]*|/[\w.+/-]*\w|[A-Za-z0-9](?:[\w+.~/@:-]*[\w+])?(?:\([1-8]\))?|[<>]=|\S")
VERSION = re.compile(r"v?\d+(?:\.\d+)+[a-z]?\d*(?:[-+~]\w+)*|v\d+")
FILE = re.compile(r"/\w[\w.+/-]*/[\w.+/-]*\w|[\w+/-]+\.(?:conf|cfg|so|h|c|py|pl|txt|xml|html|json|tar|gz|zip|deb|el|rc|ini|db|pdf|png|jpg|csv|log|sh|dtd|ps|tex)")
COMMAND = re.compile(r"--[a-z][\w-]*|[a-z][\w.+-]*\([1-8]\)")
MAKERS = {"written", "developed", "created", "designed", "maintained", "authored", "programmed", "invented", "implemented", "coded"}
NAME = re.compile(r"[A-Z][a-z]+(?:-[A-Z][a-z]+)?|[A-Z]\.?")
NO_NAME = {"The", "Internet", "Systems", "Consortium", "Software", "Research", "Labs", "Free", "Open", "Debian", "GNU", "University", "Project", "Team", "Foundation", "Group", "Google", "Apple", "Microsoft", "Python", "Perl", "Red", "Institute"}


def sentences(description):
    """The long text without its first line, in sentences of 4 to 50 words."""
    paragraphs = re.split(r"\n\s*\.\s*\n", description.partition("\n")[2])
    for paragraph in paragraphs:
        if re.search(r"\n\s+[*+-] ", "\n" + paragraph):
            continue  # lists
        text = re.sub(r"\s+", " ", paragraph).strip()
        for sentence in re.split(r"(?<=[a-z)][.!?]) (?=[A-Z])", text):
            words = WORD.findall(sentence)
            words = [part for word in words for part in ([word[:-1], word[-1]] if len(word) > 1 and word[-1] in ":/" else [word])]
            if 4 <= len(words) <= 50:
                yield words


def is_package(word, packages, common):
    shaped = re.search(r"[0-9+-]", word) or word.startswith(("lib", "python"))
    return word in packages and shaped and word not in common


def person_ends(words, start):
    end = start
    while end < len(words) and end - start < 3 and NAME.fullmatch(words[end]) and words[end] not in NO_NAME:
        end += 1
    return end if end - start >= 2 else start


def tag(words, packages, common):
    tags = ["O"] * len(words)

    def mark(first, end, kind):
        tags[first:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - first - 1)

    for i, word in enumerate(words):
        if COMMAND.fullmatch(word):
            mark(i, i + 1, "CMD")
        elif FILE.fullmatch(word):
            mark(i, i + 1, "FILE")
        elif VERSION.fullmatch(word):
            mark(i - 1 if i and words[i - 1] in (">=", "<=", ">", "<") else i, i + 1, "VER")
        elif is_package(word, packages, common):
            mark(i, i + 1, "PKG")
        elif word == "by" and i and words[i - 1] in MAKERS and person_ends(words, i + 1) > i + 1:
            mark(i + 1, person_ends(words, i + 1), "PER")
    return tags


def tagged():
    """{words: (source, tags)} of all sentences."""
    with tempfile.TemporaryDirectory() as folder:
        lists = package_lists(pathlib.Path(folder))
        whole = long_texts(lists)
        found, packages = {}, set()
        for path in lists["Packages"]:
            for fields in stanzas(path):
                packages.add(fields["Package"])
                source = fields.get("Source", fields["Package"]).split(" ")[0]
                for words in sentences(whole.get(fields.get("Description-md5"), "")):
                    found.setdefault(tuple(words), source)
    often = collections.Counter(word for words in found for word in set(words))
    common = {word for word, count in often.items() if count > 300}
    return {words: (source, tag(words, packages, common)) for words, source in found.items()}


def choose(rows, size):
    """Half of the sentences with an entity, half without, in a fixed pseudo-random order."""
    ordered = sorted(rows, key=lambda row: stable_hash("order:" + " ".join(row[0])))
    with_entity = [row for row in ordered if set(row[1][1]) != {"O"}]
    without = [row for row in ordered if set(row[1][1]) == {"O"}]
    half = min(size // 2, len(with_entity))
    return sorted(with_entity[:half] + without[:size - half], key=lambda row: stable_hash("order:" + " ".join(row[0])))


def main():
    names = {"train": 4000, "validation": 800, "test": 1500}
    if all((DEMO / f"data/tagged_{name}.conll").exists() for name in names):
        return
    say("fetching Debian's package lists (about 15 MB)")
    rows = list(tagged().items())
    side = lambda row: {0: "test", 1: "validation"}.get(stable_hash("split:" + row[1][0]) % 10, "train")
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    for name, size in names.items():
        chosen = choose([row for row in rows if side(row) == name], size)
        counts = collections.Counter(t[2:] for _, (_, tags) in chosen for t in tags if t.startswith("B-"))
        with open(DEMO / f"data/tagged_{name}.conll", "w", encoding="utf-8") as out:
            for words, (_, tags) in chosen:
                out.write("".join(f"{word} {tag}\n" for word, tag in zip(words, tags)) + "\n")
        say(f"tagged_{name}.conll: {len(chosen)} sentences, entities: {dict(sorted(counts.items()))}")


if __name__ == "__main__":
    main()
