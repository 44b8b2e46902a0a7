#!/usr/bin/env python3
"""The peer: transformers' Trainer on the same rows and settings as one of our configs.

    torchrun --nproc_per_node 2 benchmarks/peer_trainer.py --train demo/data/short_train.jsonl \
        --test demo/data/short_test.jsonl --epochs 8 --learning-rate 2e-4 --head-multiplier 10 --warmup 50

Prints one JSON object on the last line: accuracy and macro-F1 of the held-out rows, samples/s between
the first and the last update, seconds from exec to the first update, peak memory of rank 0.
"""
import argparse
import json
import os
import resource
import time

STARTED = float(os.environ.get("BENCH_STARTED", time.time()))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="demo/models/minilm")
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--epochs", type=float, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--head-multiplier", type=float, default=1.0)
    parser.add_argument("--warmup", type=int, default=0)
    parser.add_argument("--global-batch", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--group-by-length", action="store_true")
    parser.add_argument("--random-weights", action="store_true", help="the architecture of --model alone")
    parser.add_argument("--freeze-trunk", action="store_true", help="only the classifier learns")
    parser.add_argument("--cuda", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--rows", type=int, help="of the training and of the test file: the first so many")
    parser.add_argument("--test-rows", type=int, help="of the test file, where others are wanted than --rows")
    parser.add_argument("--output", default="runs/peer")
    return parser.parse_args()


def main():
    options = arguments()
    world = int(os.environ.get("WORLD_SIZE", "1"))
    import torch
    from sklearn.metrics import accuracy_score, f1_score
    from transformers import (AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, Trainer,
                              TrainerCallback, TrainingArguments)

    def rows(path):
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    train, test = rows(options.train), rows(options.test)
    names = sorted({row["label"] for row in train})
    train, test = train[:options.rows], test[:options.test_rows or options.rows]
    ids = {name: i for i, name in enumerate(names)}
    tokenizer = AutoTokenizer.from_pretrained(options.model)

    def encode(part):
        encoded = tokenizer([row["text"] for row in part], truncation=True, max_length=options.max_length)
        columns = {**encoded, "labels": [ids[row["label"]] for row in part]}
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    torch.manual_seed(options.seed)
    if options.random_weights:
        model = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(options.model, num_labels=len(names)))
    else:
        model = AutoModelForSequenceClassification.from_pretrained(options.model, num_labels=len(names))

    if options.freeze_trunk:
        for name, parameter in model.named_parameters():
            parameter.requires_grad = name.startswith("classifier.")

    class Clock(TrainerCallback):
        first = last = None
        updates = 0

        def on_step_end(self, args, state, control, **kwargs):
            self.last = time.time()
            self.first = self.first or self.last
            self.updates = state.global_step

    settings = TrainingArguments(
        output_dir=options.output, per_device_train_batch_size=options.global_batch // world, num_train_epochs=options.epochs,
        learning_rate=options.learning_rate, warmup_steps=options.warmup, report_to=[], save_strategy="no", logging_steps=50,
        use_cpu=not options.cuda, bf16=options.bf16, torch_compile=options.compile, seed=options.seed, disable_tqdm=True, weight_decay=0.0,
        train_sampling_strategy="group_by_length" if options.group_by_length else "random")
    head = [p for n, p in model.named_parameters() if n.startswith("classifier.")]
    trunk = [p for n, p in model.named_parameters() if p.requires_grad and not n.startswith("classifier.")]
    groups = [{"params": trunk}] if trunk else []
    optimizer = torch.optim.AdamW([*groups, {"params": head, "lr": options.learning_rate * options.head_multiplier}],
                                  lr=options.learning_rate, weight_decay=0.0, fused=True)
    clock = Clock()
    trainer = Trainer(model=model, args=settings, train_dataset=encode(train), data_collator=DataCollatorWithPadding(tokenizer),
                      callbacks=[clock], optimizers=(optimizer, None))
    trainer.train()
    held_out = encode(test)
    started = time.time()
    predicted = trainer.predict(held_out)
    seconds = time.time() - started
    if trainer.is_world_process_zero():
        guesses = predicted.predictions.argmax(-1)[: len(test)]
        truth = [ids[row["label"]] for row in test]
        print(json.dumps({
            "accuracy": accuracy_score(truth, guesses), "f1": f1_score(truth, guesses, average="macro", labels=range(len(names)), zero_division=0),
            "samples_per_second": (clock.updates - 1) * options.global_batch / (clock.last - clock.first),
            "first_step_seconds": clock.first - STARTED, "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "eval_samples_per_second": len(test) / seconds}), flush=True)


if __name__ == "__main__":
    main()
