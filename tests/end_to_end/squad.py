"""The scores of SQuAD 2.0 and of CMRC 2018 as their evaluation scripts define them, and run_qa.py's way from logits to answers, for tests."""
import collections
import re
import string


def normalized(text):
    text = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact_of(truth, guess):
    return float(normalized(truth) == normalized(guess))


def f1_of(truth, guess):
    truth, guess = normalized(truth).split(), normalized(guess).split()
    if not truth or not guess:
        return float(truth == guess)
    same = sum((collections.Counter(truth) & collections.Counter(guess)).values())
    return 2 * same / (len(truth) + len(guess)) if same else 0.0


def truths_of(row):
    return [text for text in row["answers"]["text"] if normalized(text)] or [""]


def scores(rows, answers):
    """evaluate-v2.0.py's, between 0 and 1, of {id: text}."""
    each = {row["id"]: [max(score(truth, answers[row["id"]]) for truth in truths_of(row)) for score in (exact_of, f1_of)] for row in rows}
    mean = lambda kept, which: sum(each[row["id"]][which] for row in kept) / max(len(kept), 1)
    answered = [row for row in rows if row["answers"]["text"]]
    nothing = [row for row in rows if not row["answers"]["text"]]
    return {"exact_match": mean(rows, 0), "f1": mean(rows, 1), "has_answer_exact_match": mean(answered, 0), "has_answer_f1": mean(answered, 1), "no_answer_f1": mean(nothing, 1)}


def cmrc_f1(truth, guess):
    """Of texts in Chinese alone, where each character is a segment: by the longest run that both have."""
    longest = max((length for start in range(len(truth)) for length in range(1, len(truth) - start + 1) if truth[start:start + length] in guess), default=0)
    return 2 * longest / (len(truth) + len(guess)) if longest else 0.0


def answers_of_transformers(directory, rows, max_length, stride, nulls, n_best=20, max_answer_length=30):
    """{id: (text, score, null score)} by AutoModelForQuestionAnswering and run_qa.py's postprocess_qa_predictions, and what loading it told."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(directory)
    model, loading = AutoModelForQuestionAnswering.from_pretrained(directory, output_loading_info=True)
    found = {}
    for row in rows:
        encoded = tokenizer(row["question"].lstrip(), row["context"], truncation="only_second", max_length=max_length, stride=stride, return_overflowing_tokens=True,
                            return_offsets_mapping=True)
        candidates, null_score = [], float("inf")
        for i, ids in enumerate(encoded["input_ids"]):
            inputs = {name: torch.tensor([encoded[name][i]]) for name in tokenizer.model_input_names}
            with torch.no_grad():
                out = model.eval()(**inputs)
            starts, ends = out.start_logits[0].tolist(), out.end_logits[0].tolist()
            null_score = min(null_score, starts[0] + ends[0])
            places = [place if part == 1 else None for place, part in zip(encoded["offset_mapping"][i], encoded.sequence_ids(i))]
            best = lambda logits: sorted(range(len(logits)), key=lambda j: -logits[j])[:n_best]
            candidates += [(starts[a] + ends[b], -places[a][0], row["context"][places[a][0]:places[b][1]]) for a in best(starts) for b in best(ends)
                           if places[a] and places[b] and a <= b < a + max_answer_length and places[a][0] < places[b][1]]
        score, _, text = max(candidates) if candidates else (0.0, 0, "empty")
        found[row["id"]] = ("" if nulls and null_score > score else text, score, null_score)
    return found, loading


def assert_answers_of_transformers(test, ours, directory, rows, max_length, stride):
    """Every answer, its score and its null score, and that transformers found all of the weights and no others; what it answers."""
    theirs, loading = answers_of_transformers(directory, rows, max_length, stride, nulls=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        test.assertEqual(list(loading[kind]), [], kind)
    test.assertEqual(len(ours), len(rows))
    for mine in ours:
        text, score, null_score = theirs[mine["id"]]
        test.assertEqual(mine["answer"], text)
        test.assertAlmostEqual(mine["score"], score, delta=1e-4)
        test.assertAlmostEqual(mine["null_score"], null_score, delta=1e-4)
    return theirs
