#!/usr/bin/env python3
"""fine_tune.py with rows of 128 tokens alone, so that there is nothing to pad and nothing to sort: what is left of its lead.

    .deps/venv/bin/python benchmarks/fine_tune_full.py > benchmarks/fine_tune_full.txt
"""
import json

import common
import fine_tune


def full_rows():
    """Files of the rows that are cut at 128 tokens, to learn from and to be tested on."""
    from transformers import AutoTokenizer

    tokenizer, home = AutoTokenizer.from_pretrained("demo/models/minilm"), common.ROOT / "runs/bench"
    home.mkdir(parents=True, exist_ok=True)
    known, paths = None, []
    for part in ("train", "test"):
        lines = common.ROOT.joinpath(f"demo/data/long_{part}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        rows = [json.loads(line) for line in lines]
        lengths = [len(ids) for ids in tokenizer([row["text"] for row in rows])["input_ids"]]
        chosen = [at for at in range(len(rows)) if lengths[at] >= 128 and (known is None or rows[at]["label"] in known)]
        known = known or {rows[at]["label"] for at in chosen}
        paths.append(home / f"full_{part}.jsonl")
        paths[-1].write_text("".join(lines[at] for at in chosen), encoding="utf-8")
    return paths


if __name__ == "__main__":
    fine_tune.compare(full_rows, "128 tokens each", rows=512)
