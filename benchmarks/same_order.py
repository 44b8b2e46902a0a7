#!/usr/bin/env python3
"""A fine-tuning of ours beside a torch loop over transformers' model with the same rows in the same order and the same start of the head: dropout masks alone differ.

    .deps/venv/bin/python benchmarks/same_order.py [--seeds 1-4] [--draws 2] [--still] > benchmarks/same_order.txt

systems.py compares with the Trainer, which draws its own order and its own head, so that a score of one seed is known to two points only. Here the run of ours
writes which rows each update had (log.sample_ids) and leaves its drawn head (one update at a rate of nothing); the loop reads both. --still takes a model without
dropout: then nothing is left to chance, and both give the same losses. Losses are of all updates, with dropout on; accuracies are of the test rows behind the last.
Needs demo/data and demo/models/minilm (make quickstart; minilm_still is minilm with both dropout rates 0, made here).
"""
import argparse
import json
import shutil
import statistics

from common import ROOT, Run, machine, versions

EPOCHS, WARM_UP, RATE, HEAD_RATE = 3, 20, 2e-4, 2e-3
MINILM = ROOT / "demo/models/minilm"


def still():
    """MiniLM whose config.json has no dropout."""
    directory = ROOT / "runs/bench/minilm_still"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(MINILM, directory)
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**config, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}))
    return directory


def ours(name, model, seed, *overrides):
    return Run(name, "bert_text_classification", f'model.model_name_or_path="{model}"', f"seed={seed}", f"train.num_train_epochs={EPOCHS}", f"scheduler.warmup_steps={WARM_UP}",
               "log.logging_steps=1", "log.sample_ids=true", *overrides, ranks=1, threads=2)


def rows_of_updates(run):
    with open(run.directory / "metrics.jsonl", encoding="utf-8") as lines:
        told = {line["step"]: line["sample_ids"] for line in map(json.loads, lines) if "sample_ids" in line}
    return [told[step] for step in sorted(told)]


class Loop:
    """transformers' model in a loop of torch's, from a directory with weights of trunk and head."""

    def __init__(self, directory):
        from transformers import AutoTokenizer

        self.directory, self.tokenizer = directory, AutoTokenizer.from_pretrained(directory)
        self.train, self.test = ([json.loads(line) for line in open(ROOT / f"demo/data/short_{part}.jsonl", encoding="utf-8")] for part in ("train", "test"))

    def batch(self, model, rows):
        import torch

        encoded = self.tokenizer([row["text"] for row in rows], truncation=True, max_length=128, padding=True, return_tensors="pt")
        return model(**encoded).logits, torch.tensor([model.config.label2id[row["label"]] for row in rows])

    def run(self, updates, draw):
        """The loss of each update, and the accuracy behind them."""
        import torch
        from transformers import AutoModelForSequenceClassification

        model = AutoModelForSequenceClassification.from_pretrained(self.directory).train()
        torch.manual_seed(draw)
        of_head = {name: parameter for name, parameter in model.named_parameters() if name.startswith("classifier.")}
        trunk = [parameter for name, parameter in model.named_parameters() if name not in of_head]
        optimizer = torch.optim.AdamW([{"params": trunk}, {"params": list(of_head.values()), "lr": HEAD_RATE}], lr=RATE, weight_decay=0.0, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(step / WARM_UP, (len(updates) - step) / (len(updates) - WARM_UP)))
        losses = []
        for ids in updates:
            loss = torch.nn.functional.cross_entropy(*self.batch(model, [self.train[i] for i in ids]))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step(), schedule.step(), optimizer.zero_grad()
            losses.append(loss.item())
        return losses, self.accuracy(model.eval())

    def accuracy(self, model):
        import torch

        order = sorted(self.test, key=lambda row: len(row["text"]))
        with torch.no_grad():
            right = [(logits.argmax(-1) == labels).sum().item() for logits, labels in (self.batch(model, order[i:i + 64]) for i in range(0, len(order), 64))]
        return sum(right) / len(order)


def compare(seed, model, draws):
    start = ours("same_order_start", model, seed, "train.max_steps=1", "optim.learning_rate=1e-30", "scheduler.warmup_steps=0", "data.test_file=[]")
    run = ours("same_order", model, seed)
    own = [step["loss"] for step in run.steps()]
    loop, updates = Loop(start.directory / "model"), rows_of_updates(run)
    results = [loop.run(updates, 1000 * seed + draw) for draw in range(draws)]
    loss, score = (statistics.mean(values) for values in zip(*((statistics.mean(losses), accuracy) for losses, accuracy in results)))
    apart = max(abs(a - b) / b for a, b in zip(own, results[0][0]))
    print(f"{seed:>4}  {statistics.mean(own):>9.4f} {loss:>8.4f} {statistics.mean(own) - loss:>+8.4f}   {run.test['accuracy']:>9.4f} {score:>8.4f} {run.test['accuracy'] - score:>+8.4f}   {apart:>10.2e}", flush=True)
    return statistics.mean(own) - loss, run.test["accuracy"] - score


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="1-4", metavar="A-B")
    parser.add_argument("--draws", type=int, default=2, help="of torch's masks, for each seed")
    parser.add_argument("--still", action="store_true", help="without dropout")
    options = parser.parse_args()
    first, last = map(int, options.seeds.split("-"))
    print(f"{machine()}; {versions()}\nsections, {EPOCHS} epochs, {WARM_UP} updates of warm-up, {'no dropout' if options.still else 'dropout 0.1'}; torch: means of {options.draws} draws of masks\n")
    print("seed   mean loss    torch   differ    accuracy    torch   differ   most apart in a loss")
    differ = [compare(seed, still() if options.still else MINILM, options.draws) for seed in range(first, last + 1)]
    if len(differ) > 1:
        for what, values in zip(("mean loss", "accuracy"), zip(*differ)):
            print(f"{what}: {statistics.mean(values):+.4f} ± {statistics.stdev(values) / len(values) ** 0.5:.4f}")


if __name__ == "__main__":
    main()
