"""What the parity scripts of models with a source and a target share; see harness.py. Logits of all rows of the decoder are
compared; its inputs are shifted by transformers from the labels."""
import harness
import torch


class Pairs(harness.Family):
    reads = ["seq2seq_lm"]

    def longest(self, config):
        return 40

    def batch(self, config, read, r, rows):
        words = lambda most, n: [r.randrange(most) for _ in range(r.randint(1, n))]
        longest = self.longest(config)
        return {"tokens": [words(config.vocab_size, longest) for _ in range(rows)],
                "targets": [words(self.target_words(config), longest) for _ in range(rows)]}

    def target_words(self, config):
        return config.vocab_size

    def reference(self, case, model, batch):
        mask = harness.padded([[1] * len(row) for row in batch["tokens"]])
        labels = harness.padded(batch["targets"], -100)
        out = model(input_ids=harness.padded(batch["tokens"]), attention_mask=mask, labels=labels)
        return out.loss, out.logits[labels != -100]
