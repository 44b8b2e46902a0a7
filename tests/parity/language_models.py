"""Language models against transformers' ForCausalLM classes of GPT-2, Llama, Qwen2 and Qwen3, live: same weights, same rows,
dropout off. The same tensors must be there; the loss over the trained tokens alone and every gradient agree to 1e-5 in
float32 and 1e-10 in float64, gradients by norm as harness.py says.

Then each model goes on from prompts, several at once and one entering where another left: in float64 the ids are those that
transformers' generate() gives for each prompt alone, greedy or by beams, with penalties, bans and forced tokens where the
case has them.

    language_models.py PARITY_LANGUAGE [first_case [cases]]
"""
import copy
import random

import answers
import decoder
import exchange  # answers 77 where transformers is missing
import torch
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
                          Qwen3ForCausalLM)
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm
from transformers.models.qwen3.modeling_qwen3 import Qwen3RMSNorm

for norm in (LlamaRMSNorm, Qwen2RMSNorm, Qwen3RMSNorm):
    decoder.exact_in_float64(norm)
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
ROTARY = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM), "qwen3": (Qwen3Config, Qwen3ForCausalLM)}


def random_model(r, number):
    family = ["llama", "gpt2", "qwen2", "qwen3"][number % 4]
    if family == "gpt2":
        heads = r.choice([1, 2, 4])
        return GPT2LMHeadModel, GPT2Config(vocab_size=r.randint(20, 200), n_embd=heads * r.choice([4, 8, 16]), n_head=heads, n_layer=r.randint(1, 4),
                                           n_positions=100, n_inner=r.choice([None, 50]), initializer_range=0.2, embd_pdrop=0.0, attn_pdrop=0.0,
                                           resid_pdrop=0.0, bos_token_id=0, eos_token_id=1)
    sizes = decoder.Decoder().sizes(r, number // 4)
    if family == "qwen2":
        sizes["hidden_size"] = sizes["num_attention_heads"] * sizes.pop("head_dim")
    config, model = ROTARY[family]
    return model, config(bos_token_id=0, eos_token_id=1, **sizes)


def random_spans(r, n):
    cuts = sorted(r.sample(range(n + 1), min(2 * r.randint(0, 2), (n + 1) // 2 * 2)))
    return [cut for pair in zip(cuts[::2], cuts[1::2]) for cut in pair]


def random_generation(r):
    chosen = {"max_new_tokens": r.choice([1, 6, 15]), "do_sample": False, "eos_token_id": [1, 5],
              "repetition_penalty": r.choice([1.0, 1.3]), "no_repeat_ngram_size": r.choice([0, 0, 2])}
    some = {"bad_words_ids": [[3], [4, 6], [2, 7, 8]], "min_new_tokens": 3, "min_length": 12, "forced_eos_token_id": 1, "forced_bos_token_id": 7}
    chosen.update({key: value for key, value in some.items() if r.random() < 0.25})
    beams = r.choice([1, 4, 4, 3])
    if beams > 1:
        chosen.update(num_beams=beams, length_penalty=r.choice([1.0, 0.0, 2.0, -0.5]), early_stopping=r.choice([False, True, "never"]))
    return chosen


def random_case(number):
    r = random.Random(number)
    kind, config = random_model(r, number)
    lengths = [r.randint(1, 40) for _ in range(r.randint(1, 7))] + [12]
    words = lambda n: [r.randrange(2, config.vocab_size) for _ in range(n)]
    return kind, {
        "config": config, "dtype": "float32" if number % 5 == 4 else "float64",
        "tokens": [words(n) for n in lengths], "spans": [random_spans(r, n) for n in lengths[:-1]] + [[0, 5, 7, 12]],
        "prompts": [words(r.randint(1, 20)) for _ in range(8)] + [[9 + number % 9]], "at_once": r.choice([1, 3, 4, 16]), "generate": random_generation(r)}


def reference_loss(case, model):
    """The mean over trained tokens: a token is foretold by the row before it, and the first of a row by none."""
    total, count = 0, 0
    for tokens, spans in zip(case["tokens"], case["spans"]):
        labels = [-100] * len(tokens)
        for first, end in zip(spans[::2], spans[1::2]):
            labels[first:end] = tokens[first:end]
        logits = model(input_ids=torch.tensor([tokens])).logits[0]
        total = total + torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(labels[1:], dtype=torch.long), reduction="sum", ignore_index=-100)
        count += sum(label != -100 for label in labels[1:])
    return total / count


def ours(case, tensors, tool):
    read = lambda directory: (exchange.values_in(directory, case["dtype"]), answers.said_in(directory))
    flat, said = exchange.hand(answers.for_tool(case), tensors, tool, read)
    loss, *gradients = flat.split([1] + [value.numel() for _, value in tensors])
    return loss[0], [g.view_as(v) for g, (_, v) in zip(gradients, tensors)], said


def is_as_near_the_truth(case, model, name, mine, theirs):
    """Whether float32 cannot say it better: transformers' own gradient is off by the same order, measured in float64."""
    exact = copy.deepcopy(model).double()
    exact.zero_grad()
    reference_loss(case, exact).backward()
    truth = dict(exact.named_parameters())[name].grad
    return (mine.double() - truth).norm() <= 4 * (theirs.double() - truth).norm()


def check(number, tool):
    kind, case = random_case(number)
    torch.manual_seed(number)
    model = kind._from_config(case["config"], attn_implementation="sdpa").to(getattr(torch, case["dtype"])).train()
    for value in model.parameters():
        if value.dim() == 1:
            value.data.add_(torch.randn_like(value) * 0.3)
    tensors = list(model.named_parameters())
    loss = reference_loss(case, model)
    loss.backward()
    our_loss, our_gradients, said = ours(case, tensors, tool)
    whole = sum(v.grad.double().norm() ** 2 for _, v in tensors) ** 0.5
    worst = {"loss": abs(our_loss - loss).item() / max(1, abs(loss.item()))}
    for (name, value), mine in zip(tensors, our_gradients):
        only_rounding = name.endswith(("k_proj.bias", "c_attn.bias")) and case["dtype"] == "float32"
        allowed = max(value.grad.double().norm(), (1e-2 if only_rounding else 1e-4) * whole)
        worst[name] = ((mine - value.grad).double().norm() / allowed).item()
        if case["dtype"] == "float32" and worst[name] > TOLERANCE["float32"] and is_as_near_the_truth(case, model, name, mine, value.grad):
            worst[name] = TOLERANCE["float32"]
    name, error = max(worst.items(), key=lambda item: item[1])
    expected = answers.said_by_transformers(case, model.eval())
    alike = sum(mine == theirs for mine, theirs in zip(said, expected))
    good = error <= TOLERANCE[case["dtype"]] and (alike == len(said) or case["dtype"] == "float32")
    tokens = sum(len(one["tokens"]) for one in said)
    beams = case["generate"].get("num_beams", 1)
    print(f"{'ok  ' if good else 'FAIL'} case {number}: {case['config'].model_type}, {case['dtype']}, {beams} beam{'s' * (beams > 1)}: worst {error:.1e} ({name}); "
          f"{alike} of {len(said)} answers alike, {tokens} tokens, {sum(one['stopped'] for one in said)} ended by a token", flush=True)
    return good


exchange.main(check, cases=16)
