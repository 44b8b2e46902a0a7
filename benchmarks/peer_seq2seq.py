#!/usr/bin/env python3
"""The peer of a translator's training: transformers' Seq2SeqTrainer on a file of pairs, for some minutes of processor time, on CPU, in one process.

    .deps/venv/bin/python benchmarks/peer_seq2seq.py --model DIR --train pairs.jsonl --minutes 2 --output DIR [--mode "by length"]

Modes: `padded` (rows in random order), `by length` (the Trainer's group_by_length). The model starts at random; updates, loss and rates are those of
configs/marian_translation.toml but for the schedule, which knows no end here: a warm-up and a constant rate. Prints one JSON object on the last line: tokens that
are no padding a second between the first update and the last, by the clock and by the processor's time, peak memory, updates.
"""
import argparse
import json
import resource
import time

import torch
from datasets import Dataset, disable_progress_bars
from transformers import AutoConfig, AutoModelForSeq2SeqLM, AutoTokenizer, DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments, TrainerCallback


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--mode", choices=["padded", "by length"], default="padded")
    parser.add_argument("--source", default="en")
    parser.add_argument("--target", default="zh")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--warmup", type=int, default=50)
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Clock(TrainerCallback):
    """Ends the training after so many seconds of processor time, and keeps the times at which updates ended."""

    def __init__(self, seconds):
        self.seconds, self.ends = seconds, []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append((time.time(), time.process_time()))
        control.should_training_stop = self.ends[-1][1] - self.ends[0][1] >= self.seconds


def rows_of(options, tokenizer):
    with open(options.train, encoding="utf-8") as lines:
        pairs = [json.loads(line)["translation"] for line in lines]
    sources = tokenizer([options.prefix + pair[options.source] for pair in pairs])["input_ids"]
    targets = tokenizer(text_target=[pair[options.target] for pair in pairs])["input_ids"]
    rows = [{"input_ids": source, "labels": target} for source, target in zip(sources, targets) if max(len(source), len(target)) <= 128]
    return Dataset.from_list(rows)


def main():
    options = arguments()
    disable_progress_bars()
    torch.manual_seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForSeq2SeqLM.from_config(AutoConfig.from_pretrained(options.model))
    settings = Seq2SeqTrainingArguments(
        output_dir=options.output, max_steps=1_000_000, per_device_train_batch_size=options.batch, learning_rate=1e-3, adam_beta2=0.98, weight_decay=0.0, max_grad_norm=1.0,
        lr_scheduler_type="constant_with_warmup", warmup_steps=options.warmup, label_smoothing_factor=options.smoothing, seed=options.seed, use_cpu=True, report_to=[],
        save_strategy="no", logging_steps=1, disable_tqdm=True, train_sampling_strategy="group_by_length" if options.mode == "by length" else "random")
    clock, tokens = Clock(60 * options.minutes), []
    collate = DataCollatorForSeq2Seq(tokenizer, model=model)

    def count(features):
        batch = collate(features)
        tokens.append(int(batch["attention_mask"].sum() + (batch["labels"] != -100).sum()))
        return batch

    trainer = Seq2SeqTrainer(model=model, args=settings, train_dataset=rows_of(options, tokenizer), data_collator=count, callbacks=[clock])
    trainer.train()
    trainer.save_model(options.output)
    (wall_0, cpu_0), (wall, cpu) = clock.ends[0], clock.ends[-1]
    seen = sum(tokens[1:len(clock.ends)])
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    print(json.dumps({"tokens_per_second": seen / (wall - wall_0), "tokens_per_cpu_second": seen / (cpu - cpu_0), "updates": len(clock.ends), "loss": sum(losses[-20:]) / len(losses[-20:]),
                      "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)


if __name__ == "__main__":
    main()
