"""The pretrained MiniLM of the demo against transformers; see harness.py.

    minilm.py PARITY_MODEL [first_case [cases [curves]]]
"""
import sys
from pathlib import Path

import harness
from transformers import BertConfig, BertForSequenceClassification

MODEL = Path(__file__).resolve().parents[2] / "demo/models/minilm"


class MiniLm(harness.Family):
    reads = ["text_classification", "all"]
    is_pretrained = True

    def config(self, r, number):
        return BertConfig.from_pretrained(MODEL, num_labels=57, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

    def model(self, config, read):
        return BertForSequenceClassification.from_pretrained(MODEL, config=config)

    def longest(self, config):
        return 48


if __name__ == "__main__":
    if not (MODEL / "model.safetensors").exists():
        print(f"SKIPPED: the pretrained model was not checked, {MODEL} is missing (tools/fetch_demo.py --model brings it)")
        sys.exit(77)
    harness.UPDATES["learning_rate"] = 2e-4  # the demo's
    harness.main(MiniLm(), cases=4, curves=1)
