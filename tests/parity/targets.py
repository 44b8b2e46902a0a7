"""Sets of labels and numbers as targets against transformers, live: same weights, same sequences, dropout off.

    targets.py PARITY_TARGETS

Loss, logits and every gradient of BertForSequenceClassification with its problem_type; and of the losses that
transformers does not have by name (pos_weight, smoothing, mae, huber), torch's on its logits. 1e-5 in float32 and 1e-10
in float64; gradients by the norm of the whole.
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
F = torch.nn.functional
# problem type, targets a row, loss, settings
CASES = [("multi_label_classification", 5, "auto", {}), ("multi_label_classification", 1, "bce", {}),
         ("multi_label_classification", 3, "auto", {"pos_weight": [0.5, 4.0, 1.0]}), ("multi_label_classification", 4, "auto", {"smoothing": 0.2}),
         ("regression", 1, "auto", {}), ("regression", 3, "mse", {}), ("regression", 1, "mae", {}), ("regression", 2, "huber", {"huber_delta": 0.7})]


def loss_of(case, model, inputs, targets):
    if case["loss"] in ("auto", "bce", "mse") and case["pos_weight"] is None and case["smoothing"] == 0:
        out = model(**inputs, labels=targets if targets.shape[1] > 1 or case["problem_type"].startswith("multi") else targets[:, 0])
        return out.loss, out.logits
    logits = model(**inputs).logits
    if case["loss"] == "mae":
        return F.l1_loss(logits, targets), logits
    if case["loss"] == "huber":
        return F.huber_loss(logits, targets, delta=case["huber_delta"]), logits
    smooth = targets * (1 - case["smoothing"]) + case["smoothing"] / 2
    weight = None if case["pos_weight"] is None else torch.tensor(case["pos_weight"], dtype=logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, smooth, pos_weight=weight), logits


def check(number, tool, dtype):
    problem, width, loss, settings = CASES[number]
    r = random.Random(number)
    torch.manual_seed(number)
    config = BertConfig(vocab_size=50, hidden_size=24, num_attention_heads=3, num_hidden_layers=2, intermediate_size=40, max_position_embeddings=40,
                        initializer_range=0.2, num_labels=width, problem_type=problem, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    model = BertForSequenceClassification._from_config(config, attn_implementation="eager").to(getattr(torch, dtype)).train()
    lengths = [r.randint(1, 20) for _ in range(6)]
    values = [[float(r.random() < 0.4) if problem.startswith("multi") else r.gauss(0, 2) for _ in range(width)] for _ in lengths]
    values = torch.tensor(values).tolist()  # what float32 keeps
    case = {"config": json.loads(config.to_json_string(use_diff=False)), "dtype": dtype, "problem_type": problem,
            "loss": loss, "huber_delta": 1.0, "smoothing": 0.0, "pos_weight": None, **settings,
            "tokens": [[r.randrange(50) for _ in range(n)] for n in lengths], "values": values}
    longest = max(lengths)
    padded = lambda rows: torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    inputs = dict(input_ids=padded(case["tokens"]), attention_mask=padded([[1] * n for n in lengths]))
    wanted, logits = loss_of(case, model, inputs, torch.tensor(values, dtype=getattr(torch, dtype)))
    wanted.backward()

    tensors = list(model.named_parameters())
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        (directory / "case.json").write_text(json.dumps(dict(case, tensors=[[name, list(value.shape)] for name, value in tensors])))
        (directory / "weights.bin").write_bytes(b"".join(v.detach().numpy().tobytes() for _, v in tensors))
        subprocess.run([tool, str(directory)], check=True)
        flat = torch.frombuffer(bytearray((directory / "out.bin").read_bytes()), dtype=getattr(torch, dtype))
    ours, our_logits, *gradients = flat.split([1, logits.numel()] + [value.numel() for _, value in tensors])
    theirs = torch.cat([(v.grad if v.grad is not None else torch.zeros_like(v)).flatten() for _, v in tensors]).double()
    worst = {"loss": abs(ours[0] - wanted).item() / max(1, abs(wanted.item())),
             "logits": (our_logits.view_as(logits) - logits).abs().max().item() / max(1, logits.abs().max().item()),
             "gradient": ((torch.cat(gradients).double() - theirs).norm() / theirs.norm()).item()}
    name, error = max(worst.items(), key=lambda item: item[1])
    good = error <= TOLERANCE[dtype]  # false for a NaN
    print(f"{'ok  ' if good else 'FAIL'} {dtype} {problem} of {width}, loss {loss} {settings}: worst {error:.1e} ({name})", flush=True)
    return good


torch.set_num_threads(1)
bad = [n for n in range(len(CASES)) for dtype in TOLERANCE if not check(n, sys.argv[1], dtype)]
print(f"{2 * len(CASES) - len(bad)} of {2 * len(CASES)} cases agree with transformers and torch")
sys.exit(1 if bad else 0)
