#!/usr/bin/env python3
"""A chat model beside TRL: training, from random weights that all sides read, in full and by adapters, and answers beside transformers' `generate` (generate.py), alternating.

    .deps/venv/bin/python benchmarks/chat.py > benchmarks/chat.txt     (--quick: one run of each, some 12 minutes)

Llama of 31.5 M parameters (384 wide, 8 layers, 6 heads, 2 of keys, 49,152 words, tied head) on chats about Debian's packages, 8 rows an update, each row
once, answers alone trained, AdamW, float32, two cores. Of 400 chats sorted by length and cut into eights every fifth eight is taken (--rows 80), so that
lengths, and what sorting saves the peer, are those of 400. Ours runs as 1 rank × 2 threads and as 2 ranks × 1, TRL's SFTTrainer as one process with both, in
each of its modes (peer_sft.py). Tokens are real ones, padding left out, and only the updates behind the first count. `first step` is from exec to the end of
the first update, with the rows' preparation in it on both sides. Memory is a process's peak, of two ranks their sum. Medians, ratios to each mode and to the
best of them in each column. Needs demo/models/smollm2 (tokenizer, template, and the model that answers) and demo/data/chat_*.jsonl: `make chat-demo`.
"""
import argparse
import json
import random
import shutil
import statistics
import sys

import common
import generate

HOME = common.ROOT / "runs/bench/chat"
TOKENIZER = common.ROOT / "demo/models/smollm2"
CHATS = common.ROOT / "demo/data/chat_train.jsonl"
COLUMNS = ["tokens_per_second", "first_step_seconds", "peak_rss_bytes"]
BATCH, POOL = 8, 400
PEER_MODES = ["padded", "by length", "packed"]
LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 49152, "hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 8,
         "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 64, "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
         "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "initializer_range": 0.02, "tie_word_embeddings": True,
         "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}


def make_llama(directory, **changes):
    """A model directory without weights: the architecture, and SmolLM2's tokenizer and template."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps({**LLAMA, **changes}, indent=1))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        shutil.copy(TOKENIZER / name, directory)
    return directory


def write_weights(directory):
    """Random weights, the same for all sides: adapters stand on weights alone that were read from a file."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(directory), dtype=torch.float32)
    model.save_pretrained(directory)
    return model.num_parameters()


def choose_chats(rows):
    """A file of so many chats, spread evenly over the lengths of the first 400, in random order."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(TOKENIZER)
    with open(CHATS, encoding="utf-8") as lines:
        chats = [line for line, _ in zip(lines, range(POOL))]
    chats.sort(key=lambda line: len(tokenizer.apply_chat_template(json.loads(line)["messages"], return_dict=True)["input_ids"]))
    batches, wanted = POOL // BATCH, rows // BATCH
    starts = [BATCH * ((2 * at + 1) * batches // (2 * wanted)) for at in range(wanted)]
    chosen = [line for first in starts for line in chats[first:first + BATCH]]
    random.Random(0).shuffle(chosen)
    path = HOME / f"chats-{rows}.jsonl"
    path.write_text("".join(chosen), encoding="utf-8")
    return path


def ours(model, chats, lora, ranks):
    run = common.Run("chat-train", "smollm2_chat_full", f"model.model_name_or_path={model}", "data.truncation=right", "data.max_length=1024",
                     f"data.train_file={chats}", f"data.prepared_dir={common.ROOT / 'runs/bench/chat-train/prepared'}", "data.max_train_samples=0", "data.max_eval_samples=1", "eval.generate=false", f"train.global_batch_size={BATCH}", "optim.learning_rate=3e-4", "scheduler.lr_scheduler_type=linear", "scheduler.warmup_steps=0",
                     f"lora.r={8 if lora else 0}", *(["lora.lora_alpha=16"] if lora else []), "log.logging_steps=1",
                     ranks=ranks, threads=2 // ranks, mpi_options=("--bind-to", "core") if ranks > 1 else ())
    steps = run.steps()
    seconds = [BATCH / step["samples_per_second"] for step in steps]
    tokens = [step["tokens_per_second"] * spent for step, spent in zip(steps, seconds)]
    return {"tokens_per_second": sum(tokens[1:]) / sum(seconds[1:]), "first_step_seconds": run.summary["first_step_seconds"], "peak_rss_bytes": sum(run.summary["peak_rss_bytes"]),
            "updates": len(steps), "tokens": round(sum(tokens)), "real_share": 1.0, "loss": statistics.mean(step["loss"] for step in steps),
            "gemm_share": statistics.median(step["gemm_share"] for step in steps[1:])}


def trl(model, chats, lora, mode):
    out, _ = common.call([sys.executable, "benchmarks/peer_sft.py", "--model", model, "--train", chats, "--mode", mode, *(["--lora"] if lora else [])], threads=2)
    return json.loads(out.splitlines()[-1])


def sides(model, chats, lora):
    peer = "TRL + PEFT" if lora else "TRL"
    return {**{f"{peer}, {mode}": lambda mode=mode: trl(model, chats, lora, mode) for mode in PEER_MODES},
            **{f"sft-dist, {ranks} × {2 // ranks}": lambda ranks=ranks: ours(model, chats, lora, ranks) for ranks in (1, 2)}}


def show(name, result):
    share = f"  {100 * result['gemm_share']:.0f}% of GEMM peak" if "gemm_share" in result else f"  {100 * result['real_share']:.0f}% of its tokens real"
    print(f"{name:<24}{result['tokens_per_second']:8.0f} tokens/s  first step {result['first_step_seconds']:5.1f} s  peak {result['peak_rss_bytes'] / 2**20:6.0f} MiB  "
          f"loss {result['loss']:.3f} over {result['updates']} updates, {result['tokens']} tokens{share}", flush=True)


def best_of(middle, of):
    """The best value that one of a side's modes reaches, column by column."""
    chosen = [row for name, row in middle.items() if name.startswith(of)]
    return {column: (max if column == "tokens_per_second" else min)(row[column] for row in chosen) for column in COLUMNS}


def train(model, chats, repeats, lora):
    print(f"\n{'LoRA, r = 8 on all linear layers' if lora else 'All weights'}\n")
    runs = sides(model, chats, lora)
    results = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            results[name].append(run())
            show(name, results[name][-1])
    assert len({row["tokens"] for rows in results.values() for row in rows}) == 1, "not every side had the same tokens"
    middle = common.medians(results, COLUMNS)
    print()
    for name in [name for name in runs if name.startswith("sft-dist")]:
        for peer in [name for name in runs if name.startswith("TRL")]:
            print(f"{name} / {peer}, medians: {common.ratios(middle[name], middle[peer])}")
        print(f"{name} / the best of TRL in each column: {common.ratios(middle[name], best_of(middle, 'TRL'))}")
    return best_of(middle, "sft-dist")["tokens_per_second"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=80, help="of 400; a multiple of 8")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--quick", action="store_true", help="one run of each")
    parser.add_argument("--tiny", action="store_true", help="a try of this script: its figures mean nothing")
    options = parser.parse_args()
    if options.quick:
        options.repeats = 1
    if options.tiny:
        options.rows, options.repeats, options.prompts, options.new_tokens = 16, 1, 8, 4
    model = make_llama(HOME / "llama", **({"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32} if options.tiny else {}))
    parameters = common.apart(write_weights, model)
    print(f"{common.machine()}; {common.versions('trl', 'peft')}")
    print(f"benchmarks/chat.py {' '.join(sys.argv[1:])}\nLlama of {parameters / 1e6:.1f} M, {options.rows} chats, {BATCH} an update, float32, 2 threads of the one process or 2 ranks × 1 thread")
    chats = common.apart(choose_chats, options.rows)
    full = train(model, chats, options.repeats, lora=False)
    adapters = train(model, chats, options.repeats, lora=True)
    print(f"our adapters / our full fine-tuning, best of each: tokens_per_second {adapters / full:.3f}\n")
    generate.compare(options.prompts, options.new_tokens, options.repeats)


if __name__ == "__main__":
    main()
