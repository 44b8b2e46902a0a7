"""Scores of answers by the rules of SQuAD 2.0's and CMRC 2018's evaluations, for answers_test.cpp.

    answers_reference.py FILE.json           writes them
    answers_reference.py --check FILE.json   fails where the file no longer says what this program says

Neither evaluation is in a package, so the rules are written down here, with regular expressions and counters.
"""
import collections
import json
import random
import re
import string
import sys

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
CMRC_SIGNS = set("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")


def squad_words(text):
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return ARTICLES.sub(" ", bare).split()


def f1_of(common, found, wanted):
    return 0.0 if common == 0 else 2 * common / (found + wanted)


def by_words(answer, truth):
    def one(wanted):
        found, wanted = squad_words(answer), squad_words(wanted)
        if not found or not wanted:
            return (float(found == wanted),) * 2
        common = sum((collections.Counter(found) & collections.Counter(wanted)).values())
        return float(found == wanted), f1_of(common, len(found), len(wanted))

    golds = [text for text in truth if squad_words(text)] or [""]
    return [max(scores) for scores in zip(*map(one, golds))]


def cmrc_segments(text):
    bare = "".join(c for c in text.lower().strip() if c not in CMRC_SIGNS)
    signs = re.escape(string.punctuation)
    segments = []
    for part in re.findall(r"[\u4e00-\u9fa5]|[^\u4e00-\u9fa5]+", bare):
        for word in part.split():
            head, middle, tail = re.fullmatch(f"([{signs}]*)(.*?)([{signs}]*)", word, re.S).groups()
            segments += [*head, *([middle] if middle else []), *tail]
    return bare, segments


def by_characters(answer, truth):
    if not truth:
        return by_words(answer, truth)

    def one(wanted):
        (found_text, found), (wanted_text, wanted) = cmrc_segments(answer), cmrc_segments(wanted)
        runs = [n for i in range(len(found)) for j in range(len(wanted))
                for n in range(1, len(found) - i + 1) if found[i:i + n] == wanted[j:j + n]]
        return float(found_text == wanted_text), f1_of(max(runs, default=0), len(found), len(wanted))

    return [max(scores) for scores in zip(*map(one, truth))]


WORDS = ["the", "The", "a", "A", "an", "Theo", "Ada", "ada", "Lovelace", "in", "1843", "1,000", "U.S.", "don't", "_a_", "a-b",
         "café", "CAFÉ", "cafe\u0301", "a\u0301", "İstanbul", "ΟΔΟΣ", "οδος", "Straße", "—the—", "“a”", "the.", "(an)", "ａ", "a中",
         "\u00a0", "\u3000the", "x\u2003y", "", "!!", "½", "²"]
CHINESE = list("这份报告由张伟于年写成一二三月日北京") + list("，。：《》“”、…·-_") + ["2021", "12.5%", " ", "  ", "Ada", "U.S.", "(a)", "ｋm", "𠀀", "ー", "한국"]


def texts(rng, kind):
    if kind == "word":
        return " ".join(rng.choice(WORDS) for _ in range(rng.choice([0, 1, 1, 2, 3, 5])))
    return "".join(rng.choice(CHINESE) for _ in range(rng.choice([0, 1, 2, 4, 8])))


def spoiled(rng, text):
    cut = rng.randrange(len(text) + 1)
    return rng.choice([text, text.upper(), " " + text + ".", text[:cut], text[cut:], text[:cut] + " the " + text[cut:], "《" + text + "》"])


def cases(rng):
    for unit, score in [("word", by_words), ("character", by_characters)]:
        for i in range(400):
            kind = unit if i % 8 else rng.choice(["word", "character"])
            truth = [texts(rng, kind) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
            answer = spoiled(rng, rng.choice(truth)) if truth and rng.random() < 0.8 else texts(rng, kind)
            exact, f1 = score(answer, truth)
            yield {"unit": unit, "answer": answer, "truth": truth, "exact": exact, "f1": f1}


def best_threshold(rows, scores):
    """Who is answered first: the least chance of no answer. An answer where there is none costs a point."""
    order = sorted(range(len(rows)), key=lambda i: rows[i]["null"] - rows[i]["best"])
    points = [float(scores[i]) if rows[i]["has_answer"] else -1.0 for i in order]
    threshold, now = 0.0, float(sum(not row["has_answer"] for row in rows))
    best = now
    for i, point in zip(order, points):
        now += point
        if now > best:
            best, threshold = now, rows[i]["null"] - rows[i]["best"]
    return best / len(rows), threshold


def course(rng, allowed, size, share):
    rows = []
    for _ in range(size):
        has_answer = rng.random() < share
        exact = float(has_answer and rng.random() < 0.4)
        f1 = max(exact, rng.random() if has_answer and rng.random() < 0.7 else 0.0)
        rows.append({"has_answer": has_answer, "null": rng.randint(-8, 8) / 4, "best": rng.randint(-8, 8) / 4, "exact": exact, "f1": f1})
    threshold = rng.choice([0.0, 0.5, -1.0])
    scores = {"exact_match": [], "f1": []}
    for row in rows:
        empty = allowed and row["null"] - row["best"] > threshold
        scores["exact_match"].append(float(not row["has_answer"]) if empty else row["exact"])
        scores["f1"].append(float(not row["has_answer"]) if empty else row["f1"])

    def mean(name, of):
        values = [value for value, row in zip(scores[name], rows) if row["has_answer"] in of]
        return sum(values) / len(values) if values else 0.0

    wanted = {name: mean(name, (True, False)) for name in scores}
    if allowed:
        wanted |= {"has_answer_exact_match": mean("exact_match", (True,)), "has_answer_f1": mean("f1", (True,)), "no_answer_f1": mean("f1", (False,))}
        for name, key in [("exact_match", "exact"), ("f1", "f1")]:
            wanted[f"best_{name}"], wanted[f"best_{name}_threshold"] = best_threshold(rows, [row[key] for row in rows])
    numbers = [[i, float(row["has_answer"]), row["null"], row["best"], row["exact"], row["f1"]] for i, row in enumerate(rows)]
    return {"allowed": allowed, "threshold": threshold, "rows": numbers, "scores": wanted}


def reference():
    rng = random.Random(7)
    courses = [course(rng, allowed, size, share) for allowed in (True, False) for size in (1, 7, 60) for share in (0.5, 1.0, 0.0)]
    return {"cases": list(cases(rng)), "courses": courses}


def main():
    path = sys.argv[-1]
    text = json.dumps(reference(), separators=(",", ":")).replace("{\"unit\"", "\n{\"unit\"").replace("{\"allowed\"", "\n{\"allowed\"") + "\n"
    if sys.argv[1] == "--check":
        sys.exit(0 if open(path).read() == text else f"{path} is not what this program gives")
    open(path, "w").write(text)


main()
