#!/usr/bin/env bash
# The demo of language models, from what `make build` left to a model one can talk with: fetches a small chat model and
# chats about Debian's packages, trains adapters on two ranks, and shows answers before and after.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${SFT_DEPS:-$PWD/.deps}
run=runs/debian_chat
questions=runs/debian_questions.jsonl
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

step() { printf '\n\033[1m[%s]\033[0m %s\n' "$1" "$2"; }

# Predictions of a model for the questions, one to a paragraph.
answers() {
  echo "$ mpirun -np 2 build/sft-dist predict $1 --input $questions --output $2"
  mpirun -np 2 --oversubscribe build/sft-dist predict "$1" --input "$questions" --output "$2"
  "$deps/venv/bin/python" - "$questions" "$2" <<'PYTHON'
import json
import sys

for asked, said in zip(*map(open, sys.argv[1:])):
    print(f"\n  > {json.loads(asked)['messages'][0]['content']}\n    {json.loads(said)['prediction'].strip()}")
PYTHON
}

step 1/4 "A small chat model and chats (once, into demo/)"
"$deps/venv/bin/python" tools/fetch_smollm2.py
"$deps/venv/bin/python" tools/fetch_chat_demo.py
mkdir -p runs
head -n 4 demo/data/chat_test.jsonl | "$deps/venv/bin/python" -c '
import json, sys
for line in sys.stdin:
    print(json.dumps({"messages": json.loads(line)["messages"][:1]}, ensure_ascii=False))' > "$questions"

step 2/4 "What the model says before"
answers demo/models/smollm2 runs/debian_before.jsonl

step 3/4 "Fine-tuning adapters on 512 chats, on 2 ranks (4 to 8 minutes on 2 cores)"
echo "$ mpirun -np 2 build/sft-dist configs/smollm2_chat_lora.toml"
mpirun -np 2 --oversubscribe build/sft-dist configs/smollm2_chat_lora.toml

step 4/4 "What it says now"
answers "$run" runs/debian_after.jsonl

cat <<NEXT

This took $((SECONDS / 60))m$((SECONDS % 60))s after the build. $run/report.html has prompts, references and answers;
$run/model is a model that transformers loads, $run/adapter one that PEFT does. Worth trying next:
  build/sft-dist chat $run
  build/sft-dist prepare configs/smollm2_chat_lora.toml --show 2
  build/sft-dist init causal_lm > run.toml     # a config for chats of your own
NEXT
