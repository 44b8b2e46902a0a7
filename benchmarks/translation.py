#!/usr/bin/env python3
"""A translator of 4 + 4 blocks × 256 from scratch on messages of Debian's programs: sft-dist beside transformers' Seq2SeqTrainer on the same rows and
settings, in speed, memory and BLEU; then targets of four beams beside `generate`.

    .deps/venv/bin/python tools/fetch_translation_demo.py
    .deps/venv/bin/python benchmarks/translation.py [--minutes 10] [--seeds 1 2 3] [--model t5] [--from zh --to en] [--rows 200] > benchmarks/translation.txt

A round for each seed. The peer trains for so many minutes of processor time, padded and then by length; ours makes as many updates of 64 rows as each of both, those of the slower told as "as padded":
the rows of both are in an order of chance, so that their BLEU may be compared. All are one process of one thread and
start at random. Rates are of tokens that are no padding, sources and targets, between the first update and the last; of ours the time of a run of one update is
taken off. Rates by processor time stand beside those by the clock, for on a machine that is shared the clock tells of the others. BLEU (sacrebleu, `zh` or 13a)
is of the first --rows test rows, by four beams; the peers' models are decoded by `sft-dist predict` too, whose ids are generate's.
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import common

HOME = common.ROOT / "runs/bench/translation"
PEERS = {"Seq2SeqTrainer, padded": "padded", "Seq2SeqTrainer, by length": "by length"}
PREFIX = {"marian": "", "t5": "translate English to Chinese: "}
GENERATE = """
import json, sys, time
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
home, source, prefix = sys.argv[1:]
with open(source, encoding="utf-8") as lines:
    texts = [prefix + json.loads(line)["source"] for line in lines]
torch.set_num_threads(1)
tokenizer, model = AutoTokenizer.from_pretrained(home), AutoModelForSeq2SeqLM.from_pretrained(home, dtype=torch.float32).eval()
started, used, said = time.time(), time.process_time(), []
for first in range(0, len(texts), 8):
    batch = tokenizer(texts[first:first + 8], return_tensors="pt", padding=True, truncation=True, max_length=128)
    with torch.inference_mode():
        ids = model.generate(**batch, num_beams=4, max_new_tokens=127, max_length=None)
    said += tokenizer.batch_decode(ids, skip_special_tokens=True)
print(json.dumps([time.time() - started, time.process_time() - used, said]))
"""


def measured(command):
    """What a program printed, and its seconds by the clock and by the processor."""
    started, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([str(part) for part in command], cwd=common.ROOT, env={**common.ENVIRONMENT, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=open(HOME / "err.txt", "w"), text=True)
    out = process.stdout.read()
    if process.wait():
        sys.exit((HOME / "err.txt").read_text())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, time.time() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Job:
    """The rows and the settings that all sides have."""

    def __init__(self, options):
        self.options = options
        self.model = common.ROOT / f"demo/models/{options.model}-en-zh"
        self.prefix = PREFIX[options.model]
        self.data = common.ROOT / "demo/data"
        with open(self.data / "translation_test.jsonl", encoding="utf-8") as lines:
            pairs = [json.loads(line)["translation"] for line, _ in zip(lines, range(options.rows))]
        self.references = [pair[options.target] for pair in pairs]
        for name, rows in (("test", pairs), ("one", pairs[:1])):
            (HOME / f"{name}.jsonl").write_text("".join(json.dumps({"source": pair[options.source], "target": pair[options.target]}) + "\n" for pair in rows), encoding="utf-8")

    def peer(self, mode, seed):
        options, home = self.options, HOME / f"{mode.replace(' ', '_')}-{seed}"
        out, _, _ = measured([sys.executable, "benchmarks/peer_seq2seq.py", "--model", self.model, "--train", self.data / "translation_train.jsonl", "--output", home, "--mode", mode, "--minutes", options.minutes,
                              "--source", options.source, "--target", options.target, "--prefix", self.prefix, "--warmup", options.warmup, "--seed", seed])
        for name in ("tokenizer_config.json", "source.spm", "target.spm", "vocab.json", "spiece.model", "generation_config.json"):
            if (self.model / name).exists():
                (home / name).write_bytes((self.model / name).read_bytes())
        return {**json.loads(out.splitlines()[-1]), "home": home}

    def train(self, updates, seed):
        options, home = self.options, HOME / f"ours-{seed}-{updates}"
        config = common.ROOT / f"configs/{options.model}_translation.toml"
        _, wall, cpu = measured([common.PROGRAM, "train", config, f"output_dir={home}", f"seed={seed}", f"train.max_steps={updates}", "data.validation_file=", "data.test_file=", f"data.source_lang={options.source}",
                                 f"data.target_lang={options.target}", f"data.source_prefix={self.prefix}", "scheduler.lr_scheduler_type=constant_with_warmup", f"scheduler.warmup_steps={options.warmup}",
                                 "optim.weight_decay=0", "optim.adam_beta2=0.98", "train.label_smoothing_factor=0.1", "eval.generate=false", "save.save_strategy=no", "log.progress=none", "log.logging_steps=1"])
        summary = json.loads((home / "summary.json").read_text())
        with open(home / "metrics.jsonl", encoding="utf-8") as lines:
            steps = [step for step in map(json.loads, lines) if "loss" in step]
        return {"wall": wall, "cpu": cpu, "summary": summary, "steps": steps, "home": home / "model"}

    def ours(self, updates, seed):
        start, whole = self.train(1, seed), self.train(updates, seed)
        tokens = whole["summary"]["train_tokens"] - start["summary"]["train_tokens"]
        return {"tokens_per_second": tokens / (whole["wall"] - start["wall"]), "tokens_per_cpu_second": tokens / (whole["cpu"] - start["cpu"]), "updates": updates,
                "peak_rss_bytes": max(whole["summary"]["peak_rss_bytes"]), "loss": statistics.mean(step["loss"] for step in whole["steps"][-20:]), "home": whole["home"]}

    def translate(self, home):
        """Of the test rows: targets by four beams, seconds and processor seconds behind the start."""
        def job(name):
            _, wall, cpu = measured([common.PROGRAM, "predict", home, "--input", HOME / f"{name}.jsonl", "--output", HOME / "said.jsonl"])
            return wall, cpu, [json.loads(line)["prediction"] for line in (HOME / "said.jsonl").read_text(encoding="utf-8").splitlines()]

        start, whole = job("one"), job("test")
        return whole[2], whole[0] - start[0], whole[1] - start[1]

    def bleu(self, said):
        import sacrebleu
        return sacrebleu.corpus_bleu(said, [self.references], tokenize="zh" if self.options.target == "zh" else "13a").score


def tell(name, result):
    print(f"{name:<28}{result['tokens_per_second']:8.0f} tokens/s{result['tokens_per_cpu_second']:8.0f} a CPU second   peak{result['peak_rss_bytes'] / 2**20:6.0f} MiB   "
          f"{result['updates']:>5} updates, loss {result['loss']:.3f}, BLEU {result['bleu']:5.2f}", flush=True)


def beams_beside_generate(job, home):
    said, wall, cpu = job.translate(home)
    out, _, _ = measured([sys.executable, "-c", GENERATE, home, HOME / "test.jsonl", job.prefix])
    their_wall, their_cpu, theirs = json.loads(out.splitlines()[-1])
    alike = sum(a.strip() == b.strip() for a, b in zip(said, theirs, strict=True))
    print(f"four beams, {len(said)} rows:  sft-dist {wall:.1f} s ({cpu:.1f} of CPU), generate in batches of 8 {their_wall:.1f} s ({their_cpu:.1f}): {their_wall / wall:.2f} times as fast, {their_cpu / cpu:.2f} by CPU time; "
          f"{alike} of {len(said)} targets alike to the letter", flush=True)
    return their_wall / wall, their_cpu / cpu


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10, help="of the processor, a run of the peer")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--model", choices=["marian", "t5"], default="marian")
    parser.add_argument("--from", dest="source", default="en")
    parser.add_argument("--to", dest="target", default="zh")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--warmup", type=int, default=50)
    options = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    print(f"{common.machine()}; {common.versions()}\nbenchmarks/translation.py {' '.join(sys.argv[1:])}")
    print(f"{options.model} {options.source} → {options.target}, 64 rows an update, one process of one thread each, float32; the peer's minutes of processor time: {options.minutes:g}\n")
    job, results = Job(options), {}
    for seed in options.seeds:
        for name, mode in PEERS.items():
            results.setdefault(name, []).append(job.peer(mode, seed))
        results.setdefault("sft-dist, as padded", []).append(job.ours(results["Seq2SeqTrainer, padded"][-1]["updates"], seed))
        results.setdefault("sft-dist", []).append(job.ours(max(results[name][-1]["updates"] for name in PEERS), seed))
        for name, runs in results.items():
            runs[-1]["bleu"] = job.bleu(job.translate(runs[-1]["home"])[0])
            tell(name, runs[-1])
        beams_beside_generate(job, results["sft-dist"][-1]["home"])
    print()
    columns = ["tokens_per_second", "tokens_per_cpu_second", "peak_rss_bytes", "bleu"]
    middle = common.medians(results, columns)
    for name in PEERS:
        ratios = {column: middle["sft-dist"][column] / middle[name][column] for column in columns if middle[name][column]}
        print(f"sft-dist / {name}, medians: " + ", ".join(f"{column} {ratio:.3f}" for column, ratio in ratios.items()))
    for name, runs in results.items():
        scores = [run["bleu"] for run in runs]
        print(f"BLEU of {name}: " + ", ".join(f"{score:.2f}" for score in scores) + f"; mean {statistics.mean(scores):.2f}")


if __name__ == "__main__":
    main()
