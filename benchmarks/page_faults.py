#!/usr/bin/env python3
"""Pages that an update touches for the first time, and memory that it leaves behind: full fine-tuning of MiniLM on long texts, 2 ranks of one core each, beside
transformers' Trainer.

    .deps/venv/bin/python benchmarks/page_faults.py > benchmarks/page_faults.txt

Two jobs of each that differ in their number of updates alone: what the longer one has more, divided by the updates that it has more and by the ranks, is what an
update in the steady state costs. Faults are minor ones of all processes of a job; a page has 4 KiB.
"""
import json
import sys

import common

FEW, MORE, BATCH = 8, 24, 64
MEASURE = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"faults": used.ru_minflt, "peak": used.ru_maxrss * 1024, "system": used.ru_stime}))
"""


def measured(command):
    out, _ = common.call([sys.executable, "-c", MEASURE, *command], threads=1)
    return json.loads(out.splitlines()[-1])


def ours(updates):
    return measured([*common.mpirun(2, "--bind-to", "core"), common.PROGRAM, "configs/bert_text_classification_long.toml", f"output_dir={common.ROOT / 'runs/bench/faults'}", "overwrite_output_dir=true",
                     "save.save_strategy=no", "log.progress=none", f"train.global_batch_size={BATCH}", f"data.max_train_samples={updates * BATCH}", "data.max_eval_samples=64"])


def trainer(updates):
    return measured([*common.torchrun(2), "benchmarks/peer_trainer.py", "--train", "demo/data/long_train.jsonl", "--test", "demo/data/long_test.jsonl", "--epochs", 1, "--learning-rate", 3e-4,
                     "--global-batch", BATCH, "--rows", updates * BATCH, "--test-rows", 64, "--group-by-length"])


def main():
    print(f"{common.machine()}; {common.versions()}\nMiniLM, long descriptions, batch {BATCH} on 2 ranks × 1 thread, AdamW: {FEW} updates and {MORE}\n")
    print(f"{'':<22}{'faults an update and rank':>28}{'system time of it':>20}{'peak of a rank':>24}")
    for name, run in {"Trainer, by length": trainer, "sft-dist": ours}.items():
        few, more = run(FEW), run(MORE)
        each = (MORE - FEW) * 2
        print(f"{name:<22}{(more['faults'] - few['faults']) / each:>28,.0f}{1000 * (more['system'] - few['system']) / each:>17,.0f} ms"
              f"{few['peak'] / 2**20:>13,.0f}, {more['peak'] / 2**20:,.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
