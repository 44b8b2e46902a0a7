#!/usr/bin/env python3
"""Debian's package descriptions and their synopses, and a small T5 to learn the one from the other. Writes under demo/ (git-ignored):

    data/summaries_train.jsonl        some 55,000 rows: {"source": the long description, "target": the line above it}
    data/summaries_validation.jsonl   1,000 held-out ones            data/summaries_test.jsonl   2,000 more
    models/t5-summaries               config.json of a T5 of 4 + 4 blocks × 256, spiece.model

    .deps/venv/bin/python tools/fetch_summaries_demo.py

Rows are split by a hash of the source package, so that near-duplicates stay on one side, and stand in a fixed pseudo-random order. The model has no
weights: model.init = "random" trains it from scratch. Its tokenizer is trained on training rows alone. A second call does nothing.
"""
import json

from debian_descriptions import DEMO, fetch_descriptions, in_fixed_order, say
from fetch_translation_demo import make_models, make_t5

NUM_VALIDATION, NUM_TEST, NUM_FOR_TOKENIZER = 1000, 2000, 10000
FILES = [DEMO / f"data/summaries_{split}.jsonl" for split in ("train", "validation", "test")]
MODEL = DEMO / "models/t5-summaries"


def splits(everything):
    """Training, validation and test rows. Descriptions without a long part are left out, and so are those whose long part is the line above it."""
    ordered = in_fixed_order(row for row in everything if row.text and row.short and row.text != row.short)
    held_out = [row for row in ordered if row.held_out]
    return [row for row in ordered if not row.held_out], held_out[NUM_TEST:NUM_TEST + NUM_VALIDATION], held_out[:NUM_TEST]


def main():
    if all(path.exists() for path in FILES) and (MODEL / "config.json").exists():
        return
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    parts = splits(fetch_descriptions())
    make_models({MODEL: make_t5}, [(row.text, row.short) for row in parts[0][:NUM_FOR_TOKENIZER]])
    for path, rows in zip(FILES, parts):
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(json.dumps({"source": row.text, "target": row.short}, ensure_ascii=False) + "\n" for row in rows)
        say(f"{path.name}: {len(rows):,} rows")


if __name__ == "__main__":
    main()
