"""Rows as TRL's SFTTrainer tokenizes and masks them against ours: ids and trained positions, behind the shift, exactly. Skipped where TRL
is not installed.

    reference.py PREPARE_ROWS
"""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

if importlib.util.find_spec("trl") is None:
    print("SKIPPED: TRL is not installed")
    sys.exit(77)

os.environ.update(HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TOKENIZERS_PARALLELISM="false")
import datasets
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
MARKED = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}"
          "{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
WORDS = "the package is a small tool for 北京 naïve users, and it reads tables of numbers; what does that mean? 😀 never mind".split()
SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]


def text(seed, count):
    return " ".join(WORDS[(seed * 7 + i * (seed % 5 + 1)) % len(WORDS)] for i in range(count))


def chat(seed, turns, system=False):
    messages = [{"role": "system", "content": text(seed, 3)}] * system
    for turn in range(turns):
        messages += [{"role": "user", "content": text(seed + turn, 4 + seed % 9)}, {"role": "assistant", "content": text(seed + 2 * turn, 1 + seed % 12)}]
    return messages


ROWS = {
    "prompt and completion": [{"prompt": text(i, 3 + i % 6) + ":", "completion": " " + text(i + 1, 1 + i % 9)} for i in range(40)],
    "prompt and completion, in messages": [{"prompt": chat(i, 1 + i % 3, i % 2 == 0)[:-1], "completion": chat(i, 1)[-1:]} for i in range(40)],
    "messages": [{"messages": chat(i, 1 + i % 4, i % 2 == 0)} for i in range(40)],
    "text": [{"text": text(i, 2 + i % 30) + ("</s>" if i % 5 == 0 else "")} for i in range(40)],
}
# (rows, template, train_on, TRL's assistant_only_loss)
CASES = [("prompt and completion", CHATML, "assistant", False), ("prompt and completion, in messages", CHATML, "assistant", False),
         ("messages", MARKED, "assistant", True), ("messages", CHATML, "all", False), ("text", CHATML, "assistant", False)]


def model_directory(folder, template, begins):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    corpus = [text(i, 30) for i in range(200)]
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    if begins:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<s>", additional_special_tokens=SPECIAL[2:])
    fast.chat_template = template
    fast.save_pretrained(folder)
    config = LlamaConfig(vocab_size=len(fast), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, max_position_embeddings=512, eos_token_id=1, bos_token_id=0)
    config.save_pretrained(folder)
    return fast, config


def by_trl(rows, tokenizer, config, assistant_only, max_length, folder):
    args = SFTConfig(output_dir=str(folder), max_length=max_length, assistant_only_loss=assistant_only, report_to="none", use_cpu=True, bf16=False, packing=False,
                     gradient_checkpointing=False, dataset_num_proc=None)
    trainer = SFTTrainer(model=LlamaForCausalLM(config), args=args, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer)
    out = []
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        out.append((batch["input_ids"][0].tolist(), [int(label != -100) for label in batch["labels"][0].tolist()]))
    return out


def compare(name, theirs, ours):
    assert len(theirs) == len(ours), (name, len(theirs), len(ours))
    tokens = trained = 0
    for i, ((ids, mask), row) in enumerate(zip(theirs, ours)):
        if ids != row["ids"]:
            return f"{name}, row {i}: ids {ids} against {row['ids']}"
        if mask[1:] != row["trained"][1:]:
            return f"{name}, row {i}: trained {mask} against {row['trained']}"
        tokens, trained = tokens + len(ids), trained + sum(mask[1:])
    print(f"{name}: {len(ours)} rows, {tokens:,} tokens, {trained:,} trained: equal")
    assert 0 < trained <= tokens
    return None


def main(program):
    datasets.disable_progress_bars()
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for number, (kind, template, train_on, assistant_only) in enumerate(CASES):
            for begins in (False, True):
                for max_length in (512, 24):
                    place = folder / f"{number}{begins}{max_length}"
                    tokenizer, config = model_directory(place / "model", template, begins)
                    (place / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS[kind]))
                    theirs = by_trl(ROWS[kind], tokenizer, config, assistant_only, max_length, place / "trl")
                    theirs = [row for row in theirs if sum(row[1][1:])]  # ours leaves out what has nothing to learn
                    request = {"model": str(place / "model"), "rows": str(place / "rows.jsonl"), "output": str(place / "prepared"), "train_on": train_on, "trailing": not assistant_only,
                               "max_length": max_length, "truncation": "right"}
                    process.stdin.write(json.dumps(request) + "\n")
                    process.stdin.flush()
                    ours = json.loads(process.stdout.readline())
                    name = f"{kind}, train_on {train_on}, {'with' if begins else 'without'} a first token, max_length {max_length}"
                    problems.append(compare(name, theirs, ours))
    problems = [problem for problem in problems if problem]
    print("\n".join(problems))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
