#!/usr/bin/env bash
# The demo, from what `make build` left to a fine-tuned model: fetches real text and a real model, trains on two
# ranks, and says what was reached and what to try next.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${SFT_DEPS:-$PWD/.deps}
run=runs/sections
started=$SECONDS
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

"$deps/venv/bin/python" tools/fetch_demo.py
mpirun -np 2 --oversubscribe build/sft-dist configs/bert_text_classification.toml
"$deps/venv/bin/python" - "$run/summary.json" "$((SECONDS - started))" <<'PYTHON'
import json, sys
summary = json.load(open(sys.argv[1]))
test = summary["test_metrics"]
print(f"""
  accuracy     {test['accuracy']:.4f}   on {test['samples']:,} held-out rows (macro-F1 {test['f1']:.4f}, loss {test['loss']:.4f})
  samples/s    {summary['train_samples_per_second']:.0f}      in training, on {summary['world_size']} ranks
  seconds      {sys.argv[2]}       in all
  model        runs/sections/model/            loads with transformers' AutoModelForSequenceClassification
  report       runs/sections/summary.json      per class; predictions.jsonl, metrics.jsonl, events/ for TensorBoard

Next, three commands worth trying:
  build/sft-dist predict runs/sections --input demo/data/short_test.jsonl --output predictions.jsonl
  mpirun -np 2 build/sft-dist configs/bert_text_classification_long.toml
  build/sft-dist init > run.toml        # a starter config for your own JSONL or CSV
""")
PYTHON
