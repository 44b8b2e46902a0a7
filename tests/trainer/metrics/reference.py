"""Scores by scikit-learn, for confusion_test.cpp.

    reference.py FILE.json           writes them
    reference.py --check FILE.json   fails where the file no longer says what the installed version says
"""
import json
import pathlib
import random
import sys
import warnings

import numpy
from sklearn import metrics

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from reference_file import keep

warnings.filterwarnings("ignore")


def course(kind, classes, samples, rng):
    truth = [rng.randrange(classes) for _ in range(samples)]
    if kind == "random":
        return truth, [rng.randrange(classes) for _ in truth]
    if kind == "good":
        return truth, [t if rng.random() < 0.8 else rng.randrange(classes) for t in truth]
    if kind == "perfect":
        return truth, truth
    if kind == "all wrong":
        return truth, [(t + 1) % classes for t in truth]
    if kind == "constant":
        return truth, [classes - 1] * samples
    if kind == "never predicted":  # class 0
        return truth, [max(1, t) for t in truth]
    if kind == "never true":  # class 0
        return [max(1, t) for t in truth], [rng.randrange(classes) for _ in truth]
    if kind == "never occurs":  # class 0
        return [max(1, t) for t in truth], [max(1, rng.randrange(classes)) for _ in truth]
    if kind == "one class only":
        return [0] * samples, [0] * samples
    raise ValueError(kind)


def number(value):
    return None if numpy.isnan(value) else float(value)


def scores(classes, truth, prediction):
    def prf(**kwargs):
        values = metrics.precision_recall_fscore_support(truth, prediction, zero_division=0, **kwargs)
        return [v.tolist() if hasattr(v, "tolist") else v for v in values[:3]]

    main = prf(average="binary") if classes == 2 else prf(average="macro")
    return dict(
        scores=dict(
            accuracy=metrics.accuracy_score(truth, prediction),
            f1=main[2],
            f1_micro=metrics.f1_score(truth, prediction, average="micro", zero_division=0),
            f1_weighted=metrics.f1_score(truth, prediction, average="weighted", zero_division=0),
            precision=main[0],
            recall=main[1],
            mcc=metrics.matthews_corrcoef(truth, prediction),
            cohen_kappa=number(metrics.cohen_kappa_score(truth, prediction)),  # of one class alone there is none
        ),
        macro=prf(average="macro"),
        weighted=prf(average="weighted"),
        per_class=prf(average=None, labels=list(range(classes))),
    )


def cases():
    rng = random.Random(7)
    found = []
    kinds = ["random", "good", "perfect", "all wrong", "constant", "never predicted", "never true", "never occurs", "one class only"]
    for kind in kinds:
        for classes in [2, 3, 5]:
            for samples in [1, 17, 60]:
                truth, prediction = course(kind, classes, samples, rng)
                found.append(dict(kind=kind, classes=classes, truth=truth, prediction=prediction, **scores(classes, truth, prediction)))
    return found


if __name__ == "__main__":
    wanted = cases()
    keep(wanted, "[" + ",\n".join(map(json.dumps, wanted)) + "]\n", absolute=1e-14)
