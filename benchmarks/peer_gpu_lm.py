#!/usr/bin/env python3
"""The peer of benchmarks/gpu_lm.py: transformers' Trainer or TRL's SFTTrainer, with PEFT for adapters, in bfloat16 on rows of one length.

    peer_gpu_lm.py --model DIR --train rows.jsonl --by Trainer --length 512 --batch 8 [--lora 16] [--cpu] [--make CONFIG.json]

--make writes a model directory of random bfloat16 weights, by transformers, and ends. Prints one JSON object on the last line: tokens/s from the end of
the second update to the last's, and the last loss.
"""
import argparse
import json
import pathlib
import time


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--make", type=pathlib.Path)
    parser.add_argument("--train", type=pathlib.Path)
    parser.add_argument("--by", choices=["Trainer", "SFTTrainer"], default="Trainer")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lora", type=int, default=0, help="rank of adapters on all linear layers but the head; 0: all weights train")
    parser.add_argument("--checkpointing", action="store_true", help="gradient checkpointing")
    parser.add_argument("--learning-rate", type=float, default=1e-5)
    parser.add_argument("--cpu", action="store_true")
    return parser.parse_args()


def make(options):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    with torch.device("cpu" if options.cpu else "cuda"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**json.loads(options.make.read_text())), dtype=torch.bfloat16)
    model.save_pretrained(options.model)


def main():
    options = arguments()
    if options.make:
        return make(options)
    import torch
    from datasets import Dataset, disable_progress_bars
    from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

    disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    texts = [json.loads(line)["text"] for line in options.train.read_text().splitlines()]
    # As ours: what trains has float32 masters, what is frozen is bfloat16.
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.bfloat16 if options.lora else torch.float32, attn_implementation="sdpa")
    adapters = None
    if options.lora:
        from peft import LoraConfig, get_peft_model
        adapters = LoraConfig(r=options.lora, lora_alpha=2 * options.lora, target_modules="all-linear", task_type="CAUSAL_LM")

    class Clock(TrainerCallback):
        ends = []

        def on_step_end(self, args, state, control, **kwargs):
            if not options.cpu:
                torch.cuda.synchronize()
            self.ends.append(time.time())

    settings = dict(output_dir=str(options.model.parent / "peer"), num_train_epochs=1, per_device_train_batch_size=options.batch, learning_rate=options.learning_rate, bf16=True,
                    use_cpu=options.cpu, report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True, gradient_checkpointing=options.checkpointing, logging_nan_inf_filter=False)
    if options.by == "SFTTrainer":
        from trl import SFTConfig, SFTTrainer
        trainer = SFTTrainer(model=model, args=SFTConfig(max_length=options.length, **settings), train_dataset=Dataset.from_dict({"text": texts}), processing_class=tokenizer,
                             peft_config=adapters, callbacks=[Clock()])
    else:
        if adapters:
            model = get_peft_model(model, adapters)
            if options.checkpointing:
                model.enable_input_require_grads()
        ids = [tokenizer(text)["input_ids"][:options.length] for text in texts]
        rows = Dataset.from_dict({"input_ids": ids, "labels": ids})
        trainer = Trainer(model=model, args=TrainingArguments(**settings), train_dataset=rows, callbacks=[Clock()])
    trainer.train()
    ends = Clock.ends
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    print(json.dumps({"tokens_per_second": (len(ends) - 2) * options.batch * options.length / (ends[-1] - ends[1]), "loss": losses[-1]}), flush=True)


if __name__ == "__main__":
    main()
