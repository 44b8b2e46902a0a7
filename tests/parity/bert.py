"""BERT against transformers, live: same weights, same sequences, dropout off.

    bert.py PARITY_MODEL [first_case [cases]]

Each case is a random architecture, random lengths and one way of reading the model. Outputs and every gradient must
agree: 1e-5 in float32 and 1e-10 in float64, gradients by norm: |a - b| <= tol * max(|b|, 1e-4 * |whole gradient|).
The true gradient of an attention key bias is zero. Both sides leave rounding there, 1e-9 of the whole gradient in
float32 and seldom the same; it must stay below 1e-7 of the whole. Float64 holds it to the rule.
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from transformers import BertConfig, BertForSequenceClassification
except ImportError as missing:
    print(f"SKIPPED: no parity was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def random_case(number):
    r = random.Random(number)
    heads = r.choice([1, 2, 3, 4])
    config = BertConfig(
        vocab_size=r.randint(20, 200), hidden_size=heads * r.choice([4, 7, 8, 16, 32]), num_attention_heads=heads,
        num_hidden_layers=r.randint(1, 4), intermediate_size=r.choice([13, 32, 50, 96]),
        hidden_act=["gelu", "gelu_new", "relu", "silu", "gelu_pytorch_tanh", "swish", "tanh"][number % 7],
        max_position_embeddings=r.choice([64, 150]), type_vocab_size=r.randint(1, 4),
        layer_norm_eps=r.choice([1e-12, 1e-5, 1e-3]), initializer_range=r.choice([0.05, 0.2]),
        pad_token_id=r.choice([0, 1]), num_labels=r.randint(2, 7), hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0)
    rows = 1 if number % 5 == 0 else r.randint(2, 9)
    lengths = [r.randint(1, config.max_position_embeddings) for _ in range(rows)]
    return {
        "config": config,
        "dtype": "float64" if number % 3 == 0 else "float32",
        "read": ["pooler", "cls", "all"][number // 2 % 3],
        "tokens": [[r.randrange(config.vocab_size) for _ in range(n)] for n in lengths],
        "segments": [[r.randrange(config.type_vocab_size) for _ in range(n)] for n in lengths],
        "labels": [r.randrange(config.num_labels) for _ in range(rows)],
    }


def reference(case, model):
    """Loss and what is read, by transformers: padded, with a mask."""
    longest = max(map(len, case["tokens"]))
    padded = lambda rows: torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = padded([[1] * len(row) for row in case["tokens"]])
    inputs = dict(input_ids=padded(case["tokens"]), token_type_ids=padded(case["segments"]), attention_mask=mask)
    if case["read"] == "pooler":
        out = model(**inputs, labels=torch.tensor(case["labels"]))
        return out.loss, out.logits
    hidden = model.bert(**inputs).last_hidden_state
    if case["read"] == "cls":
        logits = model.classifier(hidden[:, 0])
        return torch.nn.functional.cross_entropy(logits, torch.tensor(case["labels"])), logits
    rows = hidden[mask.bool()]
    return (rows - torch.arange(rows.numel(), dtype=rows.dtype).view(rows.shape).sin()).pow(2).mean(), rows


def ours(case, tensors, seen, tool):
    dtype = getattr(torch, case["dtype"])
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        described = dict(case, config=json.loads(case["config"].to_json_string(use_diff=False)),
                         tensors=[[name, list(value.shape)] for name, value in tensors])
        (directory / "case.json").write_text(json.dumps(described))
        (directory / "weights.bin").write_bytes(b"".join(v.detach().numpy().tobytes() for _, v in tensors))
        subprocess.run([tool, str(directory)], check=True)
        flat = torch.frombuffer(bytearray((directory / "out.bin").read_bytes()), dtype=dtype)
    sizes = [1, seen.numel()] + [value.numel() for _, value in tensors]
    loss, values, *gradients = flat.split(sizes)
    return loss[0], values.view_as(seen), [g.view_as(v) for g, (_, v) in zip(gradients, tensors)]


def check(number, tool):
    case = random_case(number)
    torch.manual_seed(number)
    model = BertForSequenceClassification._from_config(case["config"], attn_implementation="eager")
    model = model.to(getattr(torch, case["dtype"])).train()
    for name, value in model.named_parameters():  # norms and biases that could not be mistaken for absent ones
        if value.dim() == 1:
            value.data.add_(torch.randn_like(value) * 0.3)
    tensors = list(model.named_parameters())
    loss, seen = reference(case, model)
    loss.backward()
    our_loss, our_seen, our_gradients = ours(case, tensors, seen, tool)

    tolerance = TOLERANCE[case["dtype"]]
    gradients = [v.grad if v.grad is not None else torch.zeros_like(v) for _, v in tensors]
    whole = sum(g.double().norm() ** 2 for g in gradients) ** 0.5
    worst = {"loss": abs(our_loss - loss).item() / max(1, abs(loss.item())),
             case["read"]: (our_seen - seen).abs().max().item() / max(1, seen.abs().max().item())}
    for (name, _), mine, theirs in zip(tensors, our_gradients, gradients):
        only_rounding = name.endswith("key.bias") and case["dtype"] == "float32"
        allowed = max(theirs.double().norm(), (1e-2 if only_rounding else 1e-4) * whole)
        worst[name] = ((mine - theirs).double().norm() / allowed).item()
    name, error = max(worst.items(), key=lambda item: item[1])
    good = error <= tolerance  # false for a NaN
    act, lengths = case["config"].hidden_act, [len(row) for row in case["tokens"]]
    print(f"{'ok  ' if good else 'FAIL'} case {number}: {case['dtype']} {case['read']} {act} lengths {lengths}: "
          f"worst {error:.1e} ({name})", flush=True)
    return good


def main():
    tool = sys.argv[1]
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    cases = int(sys.argv[3]) if len(sys.argv) > 3 else 21
    torch.set_num_threads(1)
    bad = [n for n in range(first, first + cases) if not check(n, tool)]
    print(f"{cases - len(bad)} of {cases} cases agree with transformers")
    sys.exit(1 if bad else 0)


main()
