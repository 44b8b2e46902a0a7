#!/usr/bin/env python3
"""The peer of a language model's training: TRL's SFTTrainer (with PEFT for adapters) on a file of chats, each seen once, on CPU.

    .deps/venv/bin/python benchmarks/peer_sft.py --model DIR --train chats.jsonl --mode packed --lora

Modes: `padded` (8 rows an update, in random order), `by length` (all rows sorted and cut into eights, which come in random order; the Trainer's own
group_by_length sorts 50 batches at a time where there are 1,600 rows, and nothing where there are few), `packed` (one window of --max-length tokens an
update, filled best fit first). No gradient checkpointing, which TRL has by default: it would cost speed. Prints one JSON object on the last line: real
tokens/s between the first update and the last, seconds from exec to the first update, peak memory, mean loss.
"""
import argparse
import json
import os
import random
import resource
import time

STARTED = float(os.environ.get("BENCH_STARTED", time.time()))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--mode", choices=["padded", "by length", "packed"], default="padded")
    parser.add_argument("--lora", action="store_true", help="adapters of rank 8 on all linear layers but the head")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--output", default="runs/peer")
    return parser.parse_args()


def main():
    options = arguments()
    import torch
    from datasets import Dataset, disable_progress_bars
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    disable_progress_bars()
    with open(options.train, encoding="utf-8") as lines:
        chats = [json.loads(line)["messages"] for line in lines]
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    if options.mode == "by length":
        chats.sort(key=lambda chat: len(tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]))
        eights = [chats[first:first + options.batch] for first in range(0, len(chats), options.batch)]
        random.Random(0).shuffle(eights)
        chats = [chat for eight in eights for chat in eight]
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    adapters = None
    if options.lora:
        from peft import LoraConfig
        adapters = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")

    class Clock(TrainerCallback):
        ends = []

        def on_step_end(self, args, state, control, **kwargs):
            self.ends.append(time.time())

    packed = options.mode == "packed"
    settings = SFTConfig(
        output_dir=options.output, num_train_epochs=1, per_device_train_batch_size=1 if packed else options.batch, packing=packed, max_length=options.max_length,
        learning_rate=options.learning_rate, gradient_checkpointing=False, bf16=False, use_cpu=True, report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True,
        train_sampling_strategy="sequential" if options.mode == "by length" else "random")
    # Prompt and completion are told apart, so that the answer alone is trained, as ours does.
    rows = Dataset.from_list([{"prompt": chat[:-1], "completion": chat[-1:]} for chat in chats])
    trainer = SFTTrainer(model=model, args=settings, train_dataset=rows, processing_class=tokenizer, peft_config=adapters, callbacks=[Clock()])

    batches, collate = [], trainer.data_collator

    def count(features):
        batch = collate(features)
        batches.append((sum(len(feature["input_ids"]) for feature in features), batch["input_ids"].numel(), int((batch["labels"] != -100).sum())))
        return batch

    trainer.data_collator = count
    trainer.train()
    ends = Clock.ends
    real, computed, trained = (sum(column) for column in zip(*batches[:len(ends)]))
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    print(json.dumps({
        "tokens_per_second": sum(batch[0] for batch in batches[1:len(ends)]) / (ends[-1] - ends[0]), "first_step_seconds": ends[0] - STARTED,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "updates": len(ends), "tokens": real, "real_share": real / computed,
        "trained_share": trained / real, "loss": sum(losses) / len(losses)}), flush=True)


if __name__ == "__main__":
    main()
