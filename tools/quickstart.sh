#!/usr/bin/env bash
# The demo, from what `make build` left to a fine-tuned model: fetches real text and a real model, trains on two
# ranks, and says what was reached and what to try next.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${SFT_DEPS:-$PWD/.deps}
run=runs/sections
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

step() { printf '\n\033[1m[%s]\033[0m %s\n' "$1" "$2"; }

step 1/3 "Demo data and model (once, into demo/)"
"$deps/venv/bin/python" tools/fetch_demo.py

step 2/3 "Fine-tuning MiniLM to sort package descriptions into 57 sections, on 2 ranks (1 to 3 minutes on 2 cores)"
echo "$ mpirun -np 2 build/sft-dist configs/bert_text_classification.toml"
mpirun -np 2 --oversubscribe build/sft-dist configs/bert_text_classification.toml

step 3/3 "What came of it"
echo "$ build/sft-dist inspect $run"
build/sft-dist inspect "$run"

root_note=""
[ "$(id -u)" -eq 0 ] && root_note="
As root, mpirun wants: export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
cat <<NEXT

The quickstart took $((SECONDS / 60))m$((SECONDS % 60))s after the build. Three commands worth trying next:
  build/sft-dist predict $run --input demo/data/short_test.jsonl --output predictions.jsonl
  mpirun -np 2 build/sft-dist configs/bert_text_classification_long.toml
  build/sft-dist init > run.toml        # a config for your own JSONL or CSV$root_note
NEXT
