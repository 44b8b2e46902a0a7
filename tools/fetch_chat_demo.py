#!/usr/bin/env python3
"""Chats made of Debian's package descriptions: what a package is, asked and answered. Writes under demo/data/ (git-ignored):

    chat_train.jsonl    some 55,000 rows      chat_test.jsonl    2,048 held-out ones

    {"messages": [{"role": "user", "content": "What is the Debian package X?"}, {"role": "assistant", "content": …}]}

Rows are split by a hash of the source package, so that near-duplicates stay on one side, and stand in a fixed pseudo-random order.
A second call does nothing.
"""
import json

from debian_descriptions import DEMO, fetch_descriptions, in_fixed_order, say

NUM_TEST = 2048


def chat(row):
    return {"messages": [{"role": "user", "content": f"What is the Debian package {row.package}?"}, {"role": "assistant", "content": row.text}]}


def chats(everything):
    """{file name: its rows}."""
    ordered = in_fixed_order(row for row in everything if row.text)
    return {"chat_train": [chat(row) for row in ordered if not row.held_out], "chat_test": [chat(row) for row in ordered if row.held_out][:NUM_TEST]}


def main():
    if all((DEMO / f"data/{name}.jsonl").exists() for name in ("chat_train", "chat_test")):
        return
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    for name, rows in chats(fetch_descriptions()).items():
        with open(DEMO / f"data/{name}.jsonl", "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        say(f"{name}: {len(rows):,} rows")


if __name__ == "__main__":
    main()
