"""Scores by seqeval, for entities_test.cpp.

    entities_reference.py FILE.json           writes them
    entities_reference.py --check FILE.json   fails where the file no longer says what the installed version says
"""
import json
import pathlib
import random
import sys
import warnings

from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support
from seqeval.scheme import IOB2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from reference_file import keep, rows_text

warnings.filterwarnings("ignore")


def well_formed(rng, types, length):
    tags = []
    while len(tags) < length:
        if rng.random() < 0.5:
            tags.append("O")
            continue
        kind = rng.choice(types)
        tags += [f"B-{kind}"] + [f"I-{kind}"] * rng.choice([0, 0, 1, 3])
    return tags[:length]


def course(kind, types, rng):
    """Truth and guesses, sentence by sentence."""
    names = ["O"] + [f"{prefix}-{t}" for t in types for prefix in ("BIES" if kind == "IOBES" else "BI")]
    lengths = [rng.choice([0, 1, 2, 7, 20]) for _ in range(12)] + [9]
    truth = [well_formed(rng, types, n) for n in lengths]
    anything = [[rng.choice(names) for _ in range(n)] for n in lengths]
    near_by = [[tag if rng.random() < 0.85 else rng.choice(names) for tag in tags] for tags in truth]
    if kind == "well-formed":
        return names, truth, [well_formed(rng, types, n) for n in lengths]
    if kind in ("broken", "IOBES"):
        return names, anything, [[tag if rng.random() < 0.7 else rng.choice(names) for tag in tags] for tags in anything]
    if kind == "good":
        return names, truth, near_by
    if kind == "perfect":
        return names, truth, truth
    if kind == "nothing found":
        return names, truth, [["O"] * n for n in lengths]
    if kind == "nothing there":
        return names, [["O"] * n for n in lengths], near_by
    if kind == "nothing at all":
        return names, [["O"] * n for n in lengths], [["O"] * n for n in lengths]
    raise ValueError(kind)


def scores(truth, guesses, **options):
    def prf(average):
        # Of nothing, seqeval takes the mean of an empty array.
        if not any(get_entities(tags) for tags in truth + guesses):
            return [0.0, 0.0, 0.0]
        return [float(v) for v in precision_recall_fscore_support(truth, guesses, average=average, zero_division=0)[:3]]

    return {average: prf(average) for average in ("micro", "macro", "weighted")}


def strict(truth, guesses):
    from seqeval.metrics.v1 import precision_recall_fscore_support as strictly

    return [float(v) for v in strictly(truth, guesses, average="micro", scheme=IOB2, zero_division=0)[:3]]


def cases():
    rng = random.Random(11)
    found = []
    for kind in ["well-formed", "good", "broken", "IOBES", "perfect", "nothing found", "nothing there", "nothing at all"]:
        for types in [["PER"], ["LOC", "PER"], ["A", "B-C", "D", "E"]]:
            for _ in range(2):
                names, truth, guesses = course(kind, types, rng)
                case = dict(kind=kind, names=names, truth=truth, guesses=guesses, entities=[get_entities(tags) for tags in truth], **scores(truth, guesses))
                if kind not in ("IOBES", "nothing at all"):
                    case["strict"] = strict(truth, guesses)
                found.append(json.loads(json.dumps(case)))
    return found


if __name__ == "__main__":
    wanted = cases()
    keep(wanted, rows_text(wanted), absolute=1e-14)
