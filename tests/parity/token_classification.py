"""Token classification against transformers' BertForTokenClassification, live: same weights, same sequences, dropout
off. The same tensors must be there (no pooler), and loss, logits and every gradient agree as bert.py says.

    token_classification.py PARITY_TOKENS [first_case [cases]]

Class weights and label smoothing are compared with torch's cross_entropy on the same logits.
"""
import random

import exchange  # answers 77 where transformers is missing
import torch
from transformers import BertConfig, BertForTokenClassification

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def random_case(number):
    r = random.Random(number)
    heads = r.choice([1, 2, 4])
    labels = r.randint(2, 7)
    config = BertConfig(
        vocab_size=r.randint(20, 200), hidden_size=heads * r.choice([4, 8, 16]), num_attention_heads=heads,
        num_hidden_layers=r.randint(1, 3), intermediate_size=r.choice([13, 32, 50]), max_position_embeddings=64,
        initializer_range=r.choice([0.05, 0.2]), num_labels=labels, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0)
    lengths = [r.randint(1, 40) for _ in range(r.randint(1, 7))]
    rows = [[-100 if r.random() < 0.4 else r.randrange(labels) for _ in range(n)] for n in lengths]
    rows[0][-1] = 1  # one target at least
    return {
        "config": config, "task": "token_classification", "num_labels": labels,
        "dtype": "float64" if number % 3 == 0 else "float32",
        "class_weights": [r.choice([0.25, 1.0, 3.0]) for _ in range(labels)] if number % 4 == 1 else [],
        "label_smoothing": 0.1 if number % 4 == 2 else 0.0,
        "tokens": [[r.randrange(config.vocab_size) for _ in range(n)] for n in lengths],
        "segments": [[r.randrange(2) for _ in range(n)] for n in lengths],
        "rows": rows, "labels": sum(rows, []),
    }


def reference(case, model):
    """Loss and logits of all real tokens, by transformers: padded, with a mask."""
    longest = max(map(len, case["tokens"]))
    padded = lambda rows, fill=0: torch.tensor([row + [fill] * (longest - len(row)) for row in rows])
    mask, labels = padded([[1] * len(row) for row in case["tokens"]]), padded(case["rows"], -100)
    out = model(input_ids=padded(case["tokens"]), token_type_ids=padded(case["segments"]), attention_mask=mask, labels=labels)
    logits = out.logits[mask.bool()]
    if not case["class_weights"] and not case["label_smoothing"]:
        return out.loss, logits
    weights = torch.tensor(case["class_weights"], dtype=logits.dtype) if case["class_weights"] else None
    return torch.nn.functional.cross_entropy(logits, labels[mask.bool()], weight=weights, label_smoothing=case["label_smoothing"]), logits


def ours(case, tensors, logits, tool):
    dtype = getattr(torch, case["dtype"])
    flat = exchange.hand(case, tensors, tool, lambda directory: exchange.values_in(directory, case["dtype"]))
    loss, values, *gradients = flat.split([1, logits.numel()] + [value.numel() for _, value in tensors])
    return loss[0], values.view_as(logits), [g.view_as(v) for g, (_, v) in zip(gradients, tensors)]


def check(number, tool):
    case = random_case(number)
    torch.manual_seed(number)
    model = BertForTokenClassification._from_config(case["config"], attn_implementation="eager")
    model = model.to(getattr(torch, case["dtype"])).train()
    for value in model.parameters():  # norms and biases that could not be mistaken for absent ones
        if value.dim() == 1:
            value.data.add_(torch.randn_like(value) * 0.3)
    tensors = list(model.named_parameters())
    loss, logits = reference(case, model)
    loss.backward()
    our_loss, our_logits, our_gradients = ours(case, tensors, logits, tool)

    whole = sum(v.grad.double().norm() ** 2 for _, v in tensors) ** 0.5
    worst = {"loss": abs(our_loss - loss).item() / max(1, abs(loss.item())),
             "logits": (our_logits - logits).abs().max().item() / max(1, logits.abs().max().item())}
    for (name, value), mine in zip(tensors, our_gradients):
        only_rounding = name.endswith("key.bias") and case["dtype"] == "float32"
        allowed = max(value.grad.double().norm(), (1e-2 if only_rounding else 1e-4) * whole)
        worst[name] = ((mine - value.grad).double().norm() / allowed).item()
    name, error = max(worst.items(), key=lambda item: item[1])
    good = error <= TOLERANCE[case["dtype"]]  # false for a NaN
    print(f"{'ok  ' if good else 'FAIL'} case {number}: {case['dtype']}, weights {case['class_weights']}, smoothing "
          f"{case['label_smoothing']}: worst {error:.1e} ({name})", flush=True)
    return good


exchange.main(check, cases=12)
