"""The best spans of random logits by the rules of transformers' run_qa.py, for span_search_test.cpp and answer_rows_test.cpp.

    spans_reference.py FILE.json           writes them
    spans_reference.py --check FILE.json   fails where the file no longer says what this program says

The rules, written down anew: of each window the n_best highest starts and ends over all tokens; pairs of them that lie in
the context, in order, at most max_answer_length long; of a question's windows the n_best highest pairs; for no answer the
least sum that a window gives to its first token. Ties, which run_qa leaves to the sort: the earlier, then the shorter.
A question's answer is the best one, or none where that scores more than a threshold above it. Listed are the n_best highest,
none among them, each with its share in a softmax; where there is no pair at all, the word "empty" with a score of 0.
"""
import itertools
import pathlib
import random
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from reference_file import keep, rows_text


def window(rng, generator, ties):
    """Logits, and places of tokens: <cls> question <sep> context <sep>, one to three characters a token, some spaces."""
    question, context = rng.randint(0, 5), rng.choice([0, 1, 5, 40, 60])
    start = rng.randint(0, 50)
    first, end = [-1] * (question + 2), [-1] * (question + 2)
    for _ in range(context):
        start += rng.choice([0, 0, 1])
        length = rng.choice([0, 1, 2, 3]) if rng.random() < 0.2 else rng.choice([1, 2, 3])
        first.append(start)
        end.append(start + length)
        start += length
    first.append(-1)
    end.append(-1)
    logits = generator.normal(0, 3, (2, len(first))).astype(numpy.float32)
    logits[:, 0] += rng.choice([0, 0, 4])  # no answer is likely
    if ties:
        logits = numpy.round(logits / 2)
    return {"start_logits": logits[0].tolist(), "end_logits": logits[1].tolist(), "first": first, "end": end}


def best_spans(windows, n_best, max_answer_length):
    candidates = []
    for w in windows:
        order = lambda name: sorted(range(len(w[name])), key=lambda i: (-w[name][i], i))[:n_best]
        for i, j in itertools.product(order("start_logits"), order("end_logits")):
            inside = w["first"][i] >= 0 and w["first"][j] >= 0 and i <= j < i + max_answer_length
            if inside and w["first"][i] < w["end"][j]:
                candidates.append([w["start_logits"][i] + w["end_logits"][j], w["first"][i], w["end"][j]])
    candidates.sort(key=lambda span: (-span[0], span[1], span[2]))
    null_score = min(w["start_logits"][0] + w["end_logits"][0] for w in windows)
    return {"spans": candidates[:n_best], "null_score": null_score}


def prediction(windows, context, n_best, max_answer_length, allowed, threshold):
    found = best_spans(windows, n_best, max_answer_length)
    listed = [{"answer": context[a:b], "start": a, "end": b, "score": score} for score, a, b in found["spans"]]
    listed = listed or [{"answer": "empty", "start": -1, "end": -1, "score": 0.0}]
    best = listed[0]
    if allowed:
        none = {"answer": "", "start": -1, "end": -1, "score": found["null_score"]}
        ranked = sorted(listed + [none], key=lambda entry: (-entry["score"], entry is none))
        listed = ranked[:max(n_best, 2)]
        listed += [] if none in listed else [none]
    weights = numpy.exp([entry["score"] - max(e["score"] for e in listed) for entry in listed])
    for entry, weight in zip(listed, weights / weights.sum()):
        entry["probability"] = float(weight)
    gives_none = allowed and found["null_score"] - best["score"] > threshold
    chosen = {"answer": "", "start": -1, "end": -1} if gives_none else {key: best[key] for key in ["answer", "start", "end"]}
    return {**chosen, "score": best["score"], **({"null_score": found["null_score"]} if allowed else {}), "n_best": listed}


def reference():
    rng, generator = random.Random(5), numpy.random.default_rng(5)
    for case in range(60):
        n_best, longest = rng.choice([(20, 30), (20, 30), (1, 30), (5, 1), (3, 4)])
        windows = [window(rng, generator, ties=case % 3 == 0) for _ in range(rng.choice([1, 1, 2, 4]))]
        context = "".join(rng.choice("aé漢😀 ") for _ in range(max(max(w["end"]) for w in windows) + 2))
        allowed, threshold = case % 2 == 0, rng.choice([0.0, -2.0, 3.0])
        yield {"n_best": n_best, "max_answer_length": longest, "windows": windows, **best_spans(windows, n_best, longest),
               "context": context, "allowed": allowed, "threshold": threshold,
               "prediction": prediction(windows, context, n_best, longest, allowed, threshold)}


wanted = list(reference())
keep(wanted, rows_text(wanted), absolute=1e-14)
