#!/usr/bin/env python3
"""Fetches Debian's package descriptions with targets of other forms than one section. Writes under demo/data/ (git-ignored), 8,192
rows to train on and 2,048 held out of each:

    tags_*.jsonl     long descriptions with their Debtags: sets of labels
    size_*.jsonl     long descriptions with log10 of the installed size in KiB: numbers
    match_*.jsonl    a one-line and a long description: of one package, or of two of one section?

A second call does nothing.
"""
import collections
import math

from debian_descriptions import DEMO, fetch_descriptions, in_fixed_order, stable_hash
from fetch_demo import write_rows


def split_rows(candidates, row_of, train=8192, test=2048):
    """{split: rows}; `row_of` gives a row, or nothing for a description that has no target of this kind."""
    made = [(described, row_of(described)) for described in in_fixed_order(candidates)]
    return {split: [row for described, row in made if row and described.held_out == held_out][:size]
            for split, held_out, size in (("train", False, train), ("test", True, test))}


def tags(everything):
    """Tags that at least 50 descriptions of the training side have; rows with none of them are left out."""
    counts = collections.Counter(tag for row in everything if not row.held_out for tag in row.tags)

    def row_of(described):
        known = [tag for tag in described.tags if counts[tag] >= 50]
        return {"text": described.text, "label": known} if known else None
    return split_rows(everything, row_of)


def sizes(everything):
    return split_rows(everything, lambda described: {"text": described.text, "label": round(math.log10(described.installed_kib), 4)}
                      if described.installed_kib > 0 else None)


def body(described):
    """The long text without the line that it begins with."""
    return described.text.removeprefix(described.short).strip()


def matches(everything):
    """Half of the rows are of one package; the others take the long text of another source in the same section and on the same side of the split."""
    usable = [row for row in everything if row.short and len(row.text) > len(row.short) + 40]
    groups = collections.defaultdict(list)
    for row in sorted(usable, key=lambda row: stable_hash("other:" + row.package)):
        groups[row.section, row.held_out].append(row)

    def row_of(described):
        if stable_hash("match:" + described.package) % 2:
            return {"text": described.short, "second": body(described), "label": "same"}
        group = groups[described.section, described.held_out]
        start = stable_hash("pick:" + described.package) % len(group)
        other = next((row for row in group[start:] + group[:start] if row.source != described.source), None)
        return other and {"text": described.short, "second": body(other), "label": "other"}
    return split_rows(usable, row_of)


def main():
    kinds = {"tags": tags, "size": sizes, "match": matches}
    if all((DEMO / f"data/{name}_{split}.jsonl").exists() for name in kinds for split in ("train", "test")):
        return
    # One description a source: libfoo1 and libfoo-dev differ in a word.
    first = {}
    for row in fetch_descriptions():
        first.setdefault((row.source, row.text), row)
    for name, made_by in kinds.items():
        for split, rows in made_by(list(first.values())).items():
            write_rows(f"{name}_{split}", rows)


if __name__ == "__main__":
    main()
