#!/usr/bin/env python3
"""Raw rows to token ids: `sft-dist prepare` on 2 ranks beside datasets.map with the fast tokenizer in 2 processes, on the same JSONL; memory by rows.

    .deps/venv/bin/python benchmarks/prepare.py > benchmarks/prepare.txt

Long descriptions of Debian's packages, each another text; where more rows are wanted than there are, over and over. Seconds are of whole jobs, exec to exit;
of the peer those of load_dataset and map alone too, without its imports. Memory is the most that one process of the job had.
"""
import contextlib
import json
import shutil
import sys

import common

sys.path.insert(0, str(common.ROOT / "tools"))
import debian_descriptions

FEW, MANY = 8192, 524288
HOME = common.ROOT / "runs/bench/prepare"
PEER = """
import json, resource, sys, time
from datasets import disable_caching, load_dataset
from transformers import AutoTokenizer
disable_caching()
tokenizer = AutoTokenizer.from_pretrained("demo/models/minilm")
started = time.time()
rows = load_dataset("json", data_files=sys.argv[1], split="train", cache_dir=sys.argv[2])
rows.map(lambda part: tokenizer(part["text"], truncation=True, max_length=128), batched=True, num_proc=2)
peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps([time.time() - started, peak * 1024]))
"""


def write(lines, rows):
    path = HOME / f"{rows}.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for at in range(rows):
            file.write(lines[at % len(lines)] + "\n")
    return path


def different_lines():
    with contextlib.redirect_stdout(sys.stderr):
        rows = debian_descriptions.in_fixed_order(debian_descriptions.fetch_descriptions())
    texts = {row.text: row.section for row in rows}
    return [json.dumps({"text": text, "label": section}) for text, section in texts.items()]


def ours(path):
    shutil.rmtree(HOME / "shards", ignore_errors=True)
    measure = "import json, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr); print(json.dumps(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))"
    out, seconds = common.call([sys.executable, "-c", measure, *common.mpirun(2), common.PROGRAM, "prepare", "configs/bert_text_classification_long.toml", f"output_dir={HOME / 'run'}",
                                f"data.train_file={path}", "data.test_file=", f"data.prepared_dir={HOME / 'shards'}"])
    return {"seconds": seconds, "alone": seconds, "peak": json.loads(out)}


def peer(path):
    shutil.rmtree(HOME / "cache", ignore_errors=True)
    out, seconds = common.call([sys.executable, "-c", PEER, path, HOME / "cache"])
    alone, peak = json.loads(out.splitlines()[-1])
    return {"seconds": seconds, "alone": alone, "peak": peak}


def main():
    HOME.mkdir(parents=True, exist_ok=True)
    lines = different_lines()
    print(f"{common.machine()}; {common.versions()}; {len(lines):,} different texts\n")
    print(f"{'rows':>10}{'datasets job':>15}{'map alone':>12}{'sft-dist job':>15}{'rows/s':>9}{'job/job':>10}{'map/job':>10}{'peak of the peer':>19}{'of a rank':>12}")
    for rows in (FEW, len(lines), MANY):
        path = write(lines, rows)
        results = {"peer": [], "ours": []}
        for _ in range(3 if rows < 100000 else 1):
            results["peer"].append(peer(path))
            results["ours"].append(ours(path))
        middle = common.medians(results, ["seconds", "alone", "peak"])
        theirs, own = middle["peer"], middle["ours"]
        print(f"{rows:>10,}{theirs['seconds']:>13.1f} s{theirs['alone']:>10.1f} s{own['seconds']:>13.1f} s{rows / own['seconds']:>9,.0f}{theirs['seconds'] / own['seconds']:>10.2f}"
              f"{theirs['alone'] / own['seconds']:>10.2f}{theirs['peak'] / 2**20:>15,.0f} MiB{own['peak'] / 2**20:>8,.0f} MiB", flush=True)
    shutil.rmtree(HOME)


if __name__ == "__main__":
    main()
