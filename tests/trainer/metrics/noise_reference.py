"""Label issues and label quality by cleanlab 2.9, for confident_learning_test.cpp. cleanlab is not among the tests' packages: what it says is kept in the file.

    noise_reference.py FILE.json   writes it; in an environment with cleanlab==2.9.0
"""
import json
import sys

import numpy
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores


def has_ties(labels, probabilities):
    """Whether equal fractions of the calibrated joint are rounded in different ways: which of them go up, NumPy's sort alone decides, and it is another one on another CPU."""
    joint = compute_confident_joint(labels, probabilities, calibrate=False)
    calibrated = (joint.T / joint.sum(1) * numpy.bincount(labels, minlength=len(joint))).T
    for row in calibrated / calibrated.sum() * len(labels):
        fractions = row - row.round()
        changes = int(round(row.sum() - row.round().sum()))
        order = numpy.sort(fractions)[::-1] if changes > 0 else numpy.sort(fractions)
        if changes and abs(order[abs(changes) - 1] - order[abs(changes)]) < 1e-9:
            return True
    return False


def case(seed, rows, classes, flipped, sharpness, uneven=False, missing=False):
    """Probabilities around a true class, in four decimals; a share of the labels is flipped."""
    rng = numpy.random.default_rng(seed)
    shares = rng.dirichlet(numpy.ones(classes) * (0.4 if uneven else 50))
    truth = rng.choice(classes - missing, size=rows, p=(shares[: classes - missing] / shares[: classes - missing].sum()))
    logits = rng.normal(size=(rows, classes)) + sharpness * numpy.eye(classes)[truth]
    probabilities = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
    probabilities = numpy.round(probabilities, 4)
    labels = numpy.where(rng.random(rows) < flipped, rng.integers(0, classes - missing, rows), truth)
    if has_ties(labels, probabilities):
        return case(seed + 100, rows, classes, flipped, sharpness, uneven, missing)
    joint = compute_confident_joint(labels, probabilities)
    issues = find_label_issues(labels, probabilities, n_jobs=1)
    return dict(classes=classes, labels=labels.tolist(), probabilities=probabilities.flatten().tolist(), joint=joint.flatten().tolist(), issues=numpy.flatnonzero(issues).tolist(),
                self_confidence=get_label_quality_scores(labels, probabilities).tolist(), normalized_margin=get_label_quality_scores(labels, probabilities, method="normalized_margin").tolist())


if __name__ == "__main__":
    cases = [case(1, 120, 2, 0.2, 2.0), case(2, 150, 3, 0.3, 1.5), case(3, 200, 5, 0.1, 3.0, uneven=True), case(4, 160, 7, 0.4, 2.5), case(5, 60, 4, 0.2, 0.3), case(6, 100, 4, 0.25, 2.0, missing=True),
             case(7, 90, 12, 0.3, 3.0, uneven=True), case(8, 50, 3, 0.0, 5.0)]
    open(sys.argv[1], "w").write("[" + ",\n".join(json.dumps(one) for one in cases) + "]\n")
