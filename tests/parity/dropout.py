"""The losses under dropout against those of transformers: same weights, same rows, many masks of each.

    dropout.py PARITY_DROPOUT

Embeddings, attention, the outputs of the blocks and the head drop apart from each other. Masks are never equal, so their
statistics are compared: the mean and the variance of each sample's loss over the masks, those of the batch's mean loss,
and the correlations of losses between samples and from one update to the next, which are zero. Masks that samples or
updates share correlate their losses, and are planted. What tokens, channels or heads share hardly shows in a loss: the
masks themselves are looked at in tests/trainer/models/dropout_statistics_test.cpp. What is allowed is five standard
errors, told from the draws themselves. Both sides draw by fixed seeds.
"""
import copy
import sys

import harness
import torch
from transformers import BertConfig, BertForSequenceClassification

MASKS, RATE, ROWS, AT_ONCE = 1000, 0.3, 8, 100
SITES = {"embeddings": ("hidden_dropout_prob", [True, False, False], False), "attention": ("attention_probs_dropout_prob", [False, True, True], False),
         "outputs": ("hidden_dropout_prob", [False, True, True], False), "head": ("classifier_dropout", [False] * 3, True)}


def config(**rates):
    return BertConfig(vocab_size=60, hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=48, max_position_embeddings=24, initializer_range=0.3,
                      num_labels=3, **{"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0, **rates})


def batch():
    """Each row stands twice: under one mask the losses of both would be the same."""
    draw = torch.Generator().manual_seed(3)
    below = lambda most, count: torch.randint(most, (count,), generator=draw).tolist()
    lengths = [4 + length for length in below(20, ROWS // 2)]
    return {"tokens": [below(60, length) for length in lengths] * 2, "segments": [below(2, length) for length in lengths] * 2, "labels": below(3, ROWS // 2) * 2}


def dropouts(model, site):
    """transformers' modules of the site."""
    bert = model.bert
    return {"embeddings": [bert.embeddings.dropout], "head": [model.dropout], "attention": [layer.attention.self.dropout for layer in bert.encoder.layer],
            "outputs": [module for layer in bert.encoder.layer for module in (layer.attention.output.dropout, layer.output.dropout)]}[site]


def losses(logits, labels):
    """[masks, rows]"""
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)), reduction="none").view(len(logits), -1)


@torch.no_grad()
def theirs(model, site, rows, labels):
    model = copy.deepcopy(model).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for module in dropouts(model, site):
        module.p = RATE
    torch.manual_seed(5)
    inputs = dict(input_ids=harness.padded(rows["tokens"]), token_type_ids=harness.padded(rows["segments"]), attention_mask=harness.padded([[1] * len(row) for row in rows["tokens"]]))
    repeated = {name: value.repeat(AT_ONCE, 1) for name, value in inputs.items()}
    logits = [model(**repeated).logits.view(AT_ONCE, ROWS, -1) for _ in range(MASKS // AT_ONCE)]
    return losses(torch.cat(logits), labels)


def ours(model, site, rows, labels, tool, plant=""):
    rate, stages, head = SITES[site]
    case = {"config": config(**{rate: RATE}), "dtype": "float64", "batches": [rows], "masks": MASKS, "stages": stages, "head": head, "plant": plant}
    return losses(harness.ours(case, list(model.named_parameters()), tool).view(MASKS, ROWS, -1), labels)


def moments(loss):
    """Mean, variance, and the standard error of each, over the first dimension."""
    mean, variance = loss.mean(0), loss.var(0)
    fourth = (loss - mean).pow(4).mean(0)
    return mean, variance, (variance / len(loss)).sqrt(), ((fourth - variance ** 2).clamp(min=0) / len(loss)).sqrt()


def correlations(loss):
    """Between samples, the mean over their pairs; from one update to the next. Each in standard errors."""
    if loss.std(0).min() < 1e-12:  # the same at every update
        return {"from update to update": float("inf")}
    centred = (loss - loss.mean(0)) / loss.std(0)
    rows = loss.shape[1]
    between = (centred.sum(1).var() / rows - 1) / (rows - 1)
    batch = centred.mean(1) / centred.mean(1).std()
    following = (batch[1:] * batch[:-1]).mean()
    return {"between samples": (between * (rows - 1) / (2 / len(loss)) ** 0.5).item(), "from update to update": (following * len(loss) ** 0.5).item()}


def furthest(mine, reference):
    """What differs most, in standard errors."""
    found = {}
    for name, a, b in (("of a sample", mine, reference), ("of the batch", mine.mean(1, keepdim=True), reference.mean(1, keepdim=True))):
        (mean, variance, of_mean, of_variance), (mean_, variance_, of_mean_, of_variance_) = moments(a), moments(b)
        found["mean " + name] = ((mean - mean_).abs() / (of_mean ** 2 + of_mean_ ** 2).sqrt()).max().item()
        found["variance " + name] = ((variance - variance_).abs() / (of_variance ** 2 + of_variance_ ** 2).sqrt()).max().item()
    found.update({"correlation " + name: abs(value) for name, value in correlations(mine).items()})
    return max(found.items(), key=lambda item: item[1] if item[1] == item[1] else float("inf"))


def main(tool):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rows = batch()
    labels = torch.tensor(rows["labels"])
    model = BertForSequenceClassification(config()).double()
    good = True
    for site in SITES:
        reference = theirs(model, site, rows, labels)
        itself = max(abs(value) for value in correlations(reference).values())
        for plant in ("", "samples", "updates"):
            what, errors = furthest(ours(model, site, rows, labels, tool, plant), reference)
            as_wanted = errors > 5 if plant else errors <= 5 and itself <= 5
            good = good and as_wanted
            print(f"{'ok  ' if as_wanted else 'FAIL'} {site}{', planted: all ' + plant + ' share a mask' if plant else ''}: {what} is {errors:.1f} standard errors off (variance of the batch's loss with torch "
                  f"{reference.mean(1).var():.2e})", flush=True)
    sys.exit(0 if good else 1)


main(sys.argv[1])
