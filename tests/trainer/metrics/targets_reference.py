"""Scores of sets of labels by scikit-learn and of numbers by scikit-learn and scipy, for label_sets_test.cpp and
regression_scores_test.cpp.

    targets_reference.py FILE.json           writes them
    targets_reference.py --check FILE.json   fails where the file no longer says what the installed versions say
"""
import json
import pathlib
import sys
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from reference_file import keep

warnings.filterwarnings("ignore")
NAMES = ("precision", "recall", "f1")


def sets(kind, labels, samples, rng):
    truth = rng.random((samples, labels)) < 0.4
    guess = {"random": lambda: rng.random((samples, labels)) < 0.4,
             "good": lambda: truth ^ (rng.random((samples, labels)) < 0.1),
             "perfect": lambda: truth,
             "all wrong": lambda: ~truth,
             "nothing predicted": lambda: np.zeros_like(truth),
             "all predicted": lambda: np.ones_like(truth)}
    if kind == "nothing true":
        return np.zeros_like(truth), truth
    if kind == "nothing at all":
        return np.zeros_like(truth), np.zeros_like(truth)
    if kind == "label 0 never occurs":
        truth[:, 0] = False
        guess = truth ^ (rng.random((samples, labels)) < 0.2)
        guess[:, 0] = False
        return truth, guess
    return truth, guess[kind]()


def set_scores(truth, guess):
    out = {}
    for average in ("macro", "micro", "weighted", "samples"):
        values = metrics.precision_recall_fscore_support(truth, guess, average=average, zero_division=0)
        for name, value in zip(NAMES, values):
            out[name if average == "macro" else f"{name}_{average}"] = float(value)
    out["accuracy"] = float(metrics.accuracy_score(truth, guess))
    out["hamming_loss"] = float(metrics.hamming_loss(truth, guess))
    each = metrics.precision_recall_fscore_support(truth, guess, average=None, zero_division=0)
    return dict(scores=out, per_label=[[float(column[k]) for column in each] for k in range(truth.shape[1])])


def label_sets():
    rng, found = np.random.default_rng(3), []
    for kind in ("random", "good", "perfect", "all wrong", "nothing predicted", "all predicted", "nothing true", "nothing at all", "label 0 never occurs"):
        for labels, samples in ((2, 1), (3, 13), (6, 25)):
            truth, guess = (array.astype(int) for array in sets(kind, labels, samples, rng))
            found.append(dict(kind=kind, truth=truth.tolist(), guess=guess.tolist(), **set_scores(truth, guess)))
    return found


def number_scores(truth, guess):
    return dict(mse=metrics.mean_squared_error(truth, guess), mae=metrics.mean_absolute_error(truth, guess),
                r2=metrics.r2_score(truth, guess), pearson=stats.pearsonr(truth, guess).statistic,
                spearman=stats.spearmanr(truth, guess).statistic)


def numbers():
    rng, found = np.random.default_rng(4), []
    for samples in (2, 3, 17, 60):
        truth = rng.standard_normal(samples) * 3
        steps = np.round(truth)
        # Constants whose mean is exact: of others scikit-learn's r2 is a quotient of rounding errors, such as -4e34, and ours is 0.
        courses = {"random": (truth, rng.standard_normal(samples)), "good": (truth, truth + rng.standard_normal(samples) / 9),
                   "perfect": (truth, truth), "reversed": (truth, -truth), "ties": (steps, np.round(steps + rng.standard_normal(samples))),
                   "constant prediction": (truth, np.full(samples, 0.7)), "constant truth": (np.full(samples, 0.5), truth),
                   "both constant": (np.full(samples, 2.0), np.full(samples, 3.0)), "both constant, equal": (np.full(samples, 0.25), np.full(samples, 0.25)),
                   "far from zero": (truth + 1e6, truth + 1e6 + rng.standard_normal(samples))}
        for kind, (a, b) in courses.items():
            scores = {name: None if np.isnan(value) else float(value) for name, value in number_scores(a, b).items()}
            found.append(dict(kind=kind, truth=a.tolist(), guess=b.tolist(), scores=scores))
    return found


def areas():
    rng, found = np.random.default_rng(6), []
    for samples in (3, 20, 80):
        for kind, labels in (("two classes", 1), ("ties", 1), ("perfect", 1), ("reversed", 1), ("sets", 4), ("sets with ties", 4), ("one class of several", 3), ("a label that never occurs", 3), ("a label of all", 3)):
            if kind == "one class of several":
                truth = np.eye(labels, dtype=int)[np.concatenate([np.arange(labels), rng.integers(0, labels, samples - labels)])]
            else:
                truth = (rng.random((samples, labels)) < 0.4).astype(int)
                truth[0], truth[1] = 0, 1
            scores = rng.random(truth.shape) if kind in ("two classes", "sets", "a label that never occurs", "a label of all") else rng.random(truth.shape) + 0.5 * truth
            if "ties" in kind:
                scores = np.round(scores * 4) / 4
            if kind in ("perfect", "reversed"):
                scores = truth * (1.0 if kind == "perfect" else -1.0)
            if kind == "one class of several":
                scores /= scores.sum(1, keepdims=True)
                roc_auc = metrics.roc_auc_score(truth.argmax(1), scores, multi_class="ovr", average="macro")
            else:
                roc_auc = metrics.roc_auc_score(truth, scores, average="macro")
            if kind in ("a label that never occurs", "a label of all"):  # scikit-learn has no area under its ROC; ours is the mean of the others
                truth, scores = np.c_[truth, np.full(samples, int(kind == "a label of all"))], np.c_[scores, rng.random(samples)]
            average_precision = metrics.average_precision_score(truth, scores, average="macro")
            found.append(dict(kind=f"{kind}, {samples} samples", truth=truth.tolist(), scores=scores.tolist(), roc_auc=float(roc_auc), average_precision=float(average_precision)))
    return found


if __name__ == "__main__":
    wanted = dict(label_sets=label_sets(), numbers=numbers(), areas=areas())
    lines = [f'"{key}": [\n' + ",\n".join(map(json.dumps, value)) + "]" for key, value in wanted.items()]
    keep(wanted, "{" + ",\n".join(lines) + "}\n", absolute=1e-9, relative=1e-9)
