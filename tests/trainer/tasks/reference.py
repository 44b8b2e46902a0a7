"""Losses and their gradients by torch.nn.functional.cross_entropy and class weights by scikit-learn, for
cross_entropy_test.cpp and class_weights_test.cpp.

    reference.py FILE.json           writes them
    reference.py --check FILE.json   fails where the file no longer says what the installed versions say
"""
import json
import pathlib
import sys

import numpy
import torch
from sklearn.utils.class_weight import compute_class_weight

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from reference_file import keep

ROWS, CLASSES = 7, 4
IGNORED = -100
LABELS = [0, 3, 3, IGNORED, 1, 0, 2]
CLASS_WEIGHTS = {"none": [1.0] * CLASSES, "uneven": [0.5, 2.0, 1.25, 4.0], "one is zero": [1.0, 0.0, 1.0, 3.0]}
SAMPLE_WEIGHTS = {"none": [1.0] * ROWS, "uneven": [1.0, 0.25, 3.0, 2.0, 0.0, 1.5, 0.75]}


def losses():
    cases = []
    for class_weights in CLASS_WEIGHTS.values():
        for sample_weights in SAMPLE_WEIGHTS.values():
            for smoothing in [0.0, 0.1, 0.5]:
                logits = torch.sin(torch.arange(ROWS * CLASSES, dtype=torch.float64) * 1.3).view(ROWS, CLASSES) * 3
                logits.requires_grad_()
                labels, weight = torch.tensor(LABELS), torch.tensor(class_weights, dtype=torch.float64)
                settings = dict(weight=weight, label_smoothing=smoothing, ignore_index=IGNORED)
                by_row = torch.nn.functional.cross_entropy(logits, labels, reduction="none", **settings)
                total = (by_row * torch.tensor(sample_weights, dtype=torch.float64)).sum()
                total.backward()
                real = [(s, l) for s, l in zip(sample_weights, LABELS) if l != IGNORED]
                case = dict(class_weights=class_weights, sample_weights=sample_weights, smoothing=smoothing,
                            sum=total.item(), weight=sum(s * class_weights[l] for s, l in real),
                            gradient=logits.grad.flatten().tolist())
                if set(sample_weights) == {1.0}:
                    case["mean"] = torch.nn.functional.cross_entropy(logits, labels, **settings).item()
                cases.append(case)
    return cases


def focal():
    """Lin et al. 2017, eq. 5, written out: autograd of -α_y (1 - p_y)^γ log p_y. γ = 0 is cross_entropy itself."""
    cases = []
    for gamma in [0.0, 0.5, 1.0, 2.0, 5.0]:
        for class_weights in CLASS_WEIGHTS.values():
            logits = torch.sin(torch.arange(ROWS * CLASSES, dtype=torch.float64) * 1.3).view(ROWS, CLASSES) * 3
            logits.requires_grad_()
            total = torch.zeros((), dtype=torch.float64)
            for row, label, weight in zip(torch.softmax(logits, 1), LABELS, SAMPLE_WEIGHTS["uneven"]):
                if label != IGNORED:
                    total = total - weight * class_weights[label] * (1 - row[label]) ** gamma * torch.log(row[label])
            total.backward()
            cases.append(dict(gamma=gamma, class_weights=class_weights, sample_weights=SAMPLE_WEIGHTS["uneven"],
                              sum=total.item(), gradient=logits.grad.flatten().tolist()))
    return cases


def robust():
    """Losses for noisy labels, autograd of their papers' formulas on softmax probabilities: Zhang and Sabuncu 2018 (eq. 6), Wang et al. 2019 (eq. 7, log 0 = -4), Reed et al. 2015 (eq. 6)."""
    def row_loss(case, row, label):
        one_hot = torch.nn.functional.one_hot(torch.tensor(label), CLASSES).double()
        if case["loss"] == "gce":
            return (1 - row[label] ** case["gce_q"]) / case["gce_q"]
        if case["loss"] == "sce":
            log_of_target = torch.where(one_hot > 0, one_hot.log(), torch.tensor(-4.0, dtype=torch.float64))
            return case["sce_alpha"] * -(one_hot * row.log()).sum() + case["sce_beta"] * -(row * log_of_target).sum()
        return -((case["bootstrap_beta"] * one_hot + (1 - case["bootstrap_beta"]) * row) * row.log()).sum()

    cases = [dict(loss="gce", gce_q=q) for q in [0.1, 0.7, 1.0]] + [dict(loss="sce", sce_alpha=a, sce_beta=b) for a, b in [(0.1, 1.0), (6.0, 0.1)]]
    cases = [case | dict(class_weights=weights) for case in cases + [dict(loss="bootstrap", bootstrap_beta=b) for b in [0.95, 0.5]] for weights in CLASS_WEIGHTS.values()]
    for case in cases:
        logits = (torch.sin(torch.arange(ROWS * CLASSES, dtype=torch.float64) * 1.3).view(ROWS, CLASSES) * 3).requires_grad_()
        total = sum(weight * case["class_weights"][label] * row_loss(case, row, label)
                    for row, label, weight in zip(torch.softmax(logits, 1), LABELS, SAMPLE_WEIGHTS["uneven"]) if label != IGNORED)
        total.backward()
        case |= dict(sum=total.item(), gradient=logits.grad.flatten().tolist())
    return cases


DISTRIBUTIONS = [[0.7, 0.3, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.125, 0.875], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0], [0.0, 0.0, 1.0, 0.0]]
PRIORS = [0.5, 0.25, 0.2, 0.05]


def supervised():
    """A label or a distribution, beside a teacher, on logits that priors adjust: torch's cross_entropy and kl_div, combined as Hinton et al. 2015 and Menon et al. 2021 have it."""
    F = torch.nn.functional
    cases = []
    row_weights = torch.tensor(SAMPLE_WEIGHTS["uneven"], dtype=torch.float64)
    teacher = torch.cos(torch.arange(ROWS * CLASSES, dtype=torch.float64) * 0.7).view(ROWS, CLASSES) * 2
    teacher = teacher.float().double()  # as files keep it
    for soft in [False, True]:
        for alpha, temperature, tau, smoothing, class_weights in [(0.0, 2.0, 0.0, 0.0, "none"), (0.0, 2.0, 0.0, 0.1, "uneven"), (0.0, 2.0, 1.0, 0.0, "none"), (0.0, 2.0, 0.5, 0.1, "uneven"),
                                                                  (0.3, 1.0, 0.0, 0.0, "none"), (0.5, 2.5, 0.0, 0.0, "uneven"), (1.0, 4.0, 0.0, 0.0, "none"), (0.25, 2.0, 1.5, 0.2, "uneven")]:
            logits = (torch.sin(torch.arange(ROWS * CLASSES, dtype=torch.float64) * 1.3).view(ROWS, CLASSES) * 3).requires_grad_()
            labels, weight = torch.tensor(LABELS), torch.tensor(CLASS_WEIGHTS[class_weights], dtype=torch.float64)
            real = (labels != IGNORED).double()
            adjusted = logits + tau * torch.log(torch.tensor(PRIORS, dtype=torch.float64))
            target = torch.tensor(DISTRIBUTIONS).double() if soft else labels
            by_row = F.cross_entropy(adjusted, target, weight=weight, label_smoothing=smoothing, reduction="none", **({} if soft else dict(ignore_index=IGNORED)))
            shares = row_weights * real * (1 if soft else weight[labels.clamp(min=0)])
            divergence = F.kl_div(F.log_softmax(logits / temperature, 1), F.softmax(teacher / temperature, 1), reduction="none").sum(1) * temperature**2
            total = (1 - alpha) * (row_weights * real * by_row).sum() + alpha * (shares * divergence).sum()
            total.backward()
            cases.append(dict(soft=soft, alpha=alpha, temperature=temperature, tau=tau, smoothing=smoothing, class_weights=CLASS_WEIGHTS[class_weights], sum=total.item(), weight=shares.sum().item(),
                              teacher=teacher.flatten().tolist(), gradient=logits.grad.flatten().tolist()))
    return cases


def balanced():
    cases = []
    for counts in [[5, 5], [1, 9], [3, 0, 7], [100, 20, 3, 1]]:
        labels = numpy.repeat(numpy.arange(len(counts)), counts)
        present = numpy.unique(labels)
        cases.append(dict(counts=counts, present=present.tolist(),
                          weights=compute_class_weight("balanced", classes=present, y=labels).tolist()))
    return cases


if __name__ == "__main__":
    wanted = dict(rows=ROWS, classes=CLASSES, labels=LABELS, losses=losses(), focal=focal(), robust=robust(), balanced=balanced(),
                  supervised=supervised(), distributions=sum(DISTRIBUTIONS, []), priors=PRIORS, sample_weights=SAMPLE_WEIGHTS["uneven"])
    lines = [f'"{key}": ' + ("[\n" + ",\n".join(map(json.dumps, value)) + "]" if key in ("losses", "focal", "robust", "balanced", "supervised") else json.dumps(value))
             for key, value in wanted.items()]
    keep(wanted, "{" + ",\n".join(lines) + "}\n", absolute=1e-12)
