#!/usr/bin/env python3
"""`sft-dist predict` beside transformers on the same model and rows: its pipeline, and a loop of one's own that sorts by length; rows/s and whole jobs.

    .deps/venv/bin/python benchmarks/predict.py > benchmarks/predict.txt

MiniLM after a few updates, long descriptions of the demo (about 82 tokens, at most 128), batches of 64, float32. Ours has 2 ranks of one core each, a peer one
process with both cores. A peer's rows/s are those behind its imports and its model's load; ours are reckoned from two jobs, of all rows and of 64, whose
difference has no start in it. The labels of all must be equal and the scores within 1e-4.
"""
import argparse
import json
import shutil
import sys

import common

HOME = common.ROOT / "runs/bench/predict"
FEW = 64
PEER = """
import json, sys, time
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
mode, home, source, count = sys.argv[1:]
with open(source, encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines][:int(count)]
tokenizer = AutoTokenizer.from_pretrained(home)
model = AutoModelForSequenceClassification.from_pretrained(home).eval()
started = time.time()
if mode == "pipeline":
    told = pipeline("text-classification", model=model, tokenizer=tokenizer)(texts, batch_size=64, truncation=True, max_length=128)
else:
    rows = tokenizer(texts, truncation=True, max_length=128)
    order = sorted(range(len(texts)), key=lambda at: -len(rows["input_ids"][at]))
    told = [None] * len(texts)
    with torch.inference_mode():
        for first in range(0, len(order), 64):
            part = order[first:first + 64]
            scores = model(**tokenizer.pad({key: [rows[key][at] for at in part] for key in rows}, return_tensors="pt")).logits.softmax(-1)
            for at, best in zip(part, zip(*scores.max(-1))):
                told[at] = {"label": model.config.id2label[int(best[1])], "score": float(best[0])}
print(json.dumps([time.time() - started, told]))
"""


def ours(model, rows, source):
    def job(count):
        part = HOME / f"{count}.jsonl"
        part.write_text("".join(source[:count]), encoding="utf-8")
        _, seconds = common.call([*common.mpirun(2, "--bind-to", "core"), common.PROGRAM, "predict", model, "--input", part, "--output", HOME / "told.jsonl"], threads=1)
        return seconds

    start, whole = job(FEW), job(rows)
    told = [json.loads(line) for line in (HOME / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    return {"rate": (rows - FEW) / (whole - start), "whole": whole}, told


def peer(mode, model, rows, path):
    out, whole = common.call([sys.executable, "-c", PEER, mode, model, path, rows])
    seconds, told = json.loads(out.splitlines()[-1])
    return {"rate": rows / seconds, "whole": whole}, told


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    path = common.ROOT / "demo/data/long_test.jsonl"
    source = path.read_text(encoding="utf-8").splitlines(keepends=True)
    model = common.Run("predict-model", "bert_text_classification_long", "data.max_train_samples=512", "data.max_eval_samples=64").directory / "model"
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    modes = {"pipeline": lambda: peer("pipeline", model, options.rows, path), "by length": lambda: peer("sorted", model, options.rows, path), "sft-dist": lambda: ours(model, options.rows, source)}
    print(f"{common.machine()}; {common.versions()}\nMiniLM, {options.rows} long descriptions\n")
    results, answers = {name: [] for name in modes}, {}
    for _ in range(options.repeats):
        for name, run in modes.items():
            result, answers[name] = run()
            results[name].append(result)
            print(f"{name:<12}{result['rate']:8.1f} rows/s   whole job {result['whole']:6.1f} s", flush=True)
    middle = common.medians(results, ["rate", "whole"])
    own = answers.pop("sft-dist")
    print()
    for name, told in answers.items():
        assert [row["label"] for row in own] == [row["label"] for row in told], f"labels differ from those of {name}"
        worst = max(abs(row["score"] - other["score"]) for row, other in zip(own, told))
        assert worst < 1e-4, f"scores differ by {worst} from those of {name}"
        print(f"sft-dist / {name}, medians: {common.ratios(middle['sft-dist'], middle[name])}; all labels equal, scores within {worst:.0e}")


if __name__ == "__main__":
    main()
