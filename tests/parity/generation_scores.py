"""Scores of generated texts against sacrebleu and rouge_score, live: BLEU with each of our ways to cut texts, chrF, chrF++, ROUGE.

    generation_scores.py PARITY_GENERATION

Pairs of a hypothesis and its reference are made from lists of words, English and Chinese, from signs that a way to cut
has a rule for, and from every character of Unicode up to plane 3. Each pair is a corpus of its own, and parts of all
pairs are corpora too. Scores and precisions must agree to 1e-9, lengths and signatures wholly.

rouge_score drops Chinese and Japanese, so it is given our rule for them as its tokenizer where a pair has any.
"""
import json
import logging
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer
except ImportError as missing:
    print(f"SKIPPED: no score was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

TOLERANCE = 1e-9
TOKENIZERS = ["13a", "zh", "char", "none"]
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

ENGLISH = """the The a of to and in is that for it as was with be by on not he his but at are this have from or had an they
    which one you were all her she there would their we him been has when who will no more if out so up said what its
    about than into them can only other time new some could these two may first then do any like my now over such our
    package library Debian server users files network don't U.S. e.g. 3.14 1,000 10-20 7-bit C++ a.b.c x,y 50% $5 (see
    [1] "quoted" 'single' -- --help state-of-the-art well-known hello, world. end! why? rock&roll AT&amp;T &quot;so&quot;
    &lt;b&gt; &amp;lt; &copy; http://a.b/c?d=e&f café naïve Straße İstanbul “curly” it’s — … 1. .5 ,5 5, -1 1- 2-""".split()
CHINESE = list("的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方") + """软件 库
    服务器 网络 用户 ， 。 、 ： “ ” 《 》 （ ） ！ ？ … — · 3.14 1,000 2024 12% Debian GNU/Linux C++ ｋｍ １２ 𠀀 𪛖 㐀 豈 ー カナ ひら 한국 ①
    & &quot; . , - e.g.""".split()
SIGNS = list(""".,-'"&;<>()[]{}!?@#$%^*_=+|\\/~`0123456789aZé中。，　""") + [
    " ", "  ", "\n", "-\n", "\t", "\r\n", "\x0b", "\x1c", "\x1f", "\x85", "\xa0", "\u2000", "\u2001", "\u2009", "\u2028", "\u200b", "\ufeff", "\ufffd",
    "&quot;", "&amp;", "&lt;", "&gt;", "&amp;quot;", "&amp;amp;", "&am", "<skipped>", "<skip<skipped>ped>", "..", ".,", "1.", ".1", "1-", "-1", "e\u0301", "İ", "\u212a",
    "😀", "👩\u200d💻", "🇨🇳", "𝒳", "\u2a6d", "\u2a6e", "\u2f80", "\u2f81", "\u2fa1", "\u2fa2", "\uff00", "\uffef", "\ufff0", "\U0010ffff", "\0"]


def text(r, words, between, sizes):
    return between.join(r.choice(words) for _ in range(r.choice(sizes)))


def spoiled(r, reference, words, between):
    """What a model might say in place of the reference."""
    kind = r.randrange(9)
    parts = reference.split(between) if between else list(reference)
    if kind == 0:
        return reference
    if kind == 1:
        return r.choice(["", " ", "\n", reference[:1], reference[:len(reference) // 2], reference * 2])
    if kind == 2:
        return "  " + reference.upper() + " \n"
    if kind == 3:
        r.shuffle(parts)
    for _ in range(r.choice([1, 1, 2, 4])):
        at = r.randrange(len(parts) + 1)
        parts[at:at + r.choice([0, 1, 1, 2])] = [r.choice(words) for _ in range(r.choice([0, 1, 1, 2]))]
    return between.join(parts)


def random_pairs(r):
    for words, between, sizes, count in [(ENGLISH, " ", [0, 1, 2, 3, 5, 8, 20, 40], 500), (CHINESE, "", [0, 1, 3, 6, 10, 30], 400),
                                         (SIGNS, "", [0, 1, 2, 3, 5, 9, 15, 30], 600)]:
        for _ in range(count):
            reference = text(r, words, between, sizes)
            yield spoiled(r, reference, words, between), reference


def pairs_of_all_characters():
    characters = [chr(c) for c in range(0x32400) if not 0xd800 <= c <= 0xdfff]
    for begin in range(0, len(characters), 256):
        part = characters[begin:begin + 256]
        yield " ".join(f"{c}x{c}.{c}7" for c in part), " ".join(f"x{c}" for c in part[:16])


def corpora_of(r, pairs, num_random):
    numbers = range(len(pairs))
    yield []
    for number in numbers:
        yield [number]
    yield list(numbers)
    yield list(range(num_random))
    for size in [2, 2, 2, 3, 5, 10, 50, 200] * 4:
        yield r.sample(range(num_random), size)


class WithCjk:
    """rouge_score's tokens, and each Chinese or Japanese character."""

    def tokenize(self, said):
        return re.findall(f"[{CJK}]|[a-z0-9]+", said.lower())


ROUGES = ["rouge1", "rouge2", "rougeL"]
PLAIN, WITH_CJK = RougeScorer(ROUGES, use_stemmer=False), RougeScorer(ROUGES, tokenizer=WithCjk())


def rouge_of(hypothesis, reference):
    has_cjk = re.search(f"[{CJK}]", hypothesis + reference)
    scores = (WITH_CJK if has_cjk else PLAIN).score(reference, hypothesis)
    return [scores[name].fmeasure for name in ROUGES]


def mean(values):
    return sum(values) / len(values) if values else 0.0


def reference(bleu, chrfs, pairs, rouges, corpus, chrfs_of):
    """Scores and details of a corpus. chrfs_of: those of chrF that are known, by corpus; no way to cut texts changes them."""
    rows = [pairs[number] for number in corpus]
    hypotheses, references = [row[0] for row in rows], [[row[1] for row in rows]]
    wanted = {"exact_match": mean([row[0].split() == row[1].split() for row in rows])}
    for i, name in enumerate(ROUGES):
        wanted[name] = mean([rouges[number][i] for number in corpus])
    if rows:
        found = bleu.corpus_score(hypotheses, references)
        if tuple(corpus) not in chrfs_of:
            chrfs_of[tuple(corpus)] = {name: chrf.corpus_score(hypotheses, references).score for name, chrf in chrfs.items()}
        wanted |= {"bleu": found.score} | chrfs_of[tuple(corpus)]
        details = {"precisions": list(found.precisions), "brevity_penalty": found.bp, "hypothesis_length": found.sys_len, "reference_length": found.ref_len}
    else:  # sacrebleu refuses it
        wanted |= {"bleu": 0.0} | dict.fromkeys(chrfs, 0.0)
        details = {"precisions": [0.0] * 4, "brevity_penalty": 1.0, "hypothesis_length": 0, "reference_length": 0}
    return wanted | {"mean_generated_tokens": mean([row[2] for row in rows]), "stopped_share": mean([row[3] for row in rows])}, details


def ours(tool, tokenizer, pairs, corpora):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "case.json"
        path.write_text(json.dumps({"bleu_tokenize": tokenizer, "pairs": pairs, "corpora": corpora}))
        return json.loads(subprocess.run([tool, str(path)], check=True, capture_output=True).stdout)


def error_of(mine, theirs):
    """The largest difference between two numbers or two lists; a NaN is one without bound."""
    if not isinstance(theirs, list):
        mine, theirs = [mine], [theirs]
    return max((abs(a - b) if a == a else float("inf")) for a, b in zip(mine, theirs, strict=True))


def check(tool, tokenizer, pairs, rouges, corpora, chrfs, chrfs_of):
    """The number of corpora that disagree."""
    bleu = sacrebleu.BLEU(tokenize=tokenizer, force=True)
    bad, worst, between = 0, 0.0, 0
    for corpus, found in zip(corpora, ours(tool, tokenizer, pairs, corpora), strict=True):
        wanted, details = reference(bleu, chrfs, pairs, rouges, corpus, chrfs_of)
        assert list(found["scores"]) == list(wanted), found["scores"]
        errors = {name: error_of(found["scores"][name], value) for name, value in wanted.items()}
        errors |= {name: error_of(found["details"]["bleu"][name], value) for name, value in details.items()}
        if corpus:
            errors["signature"] = float(any(found["details"][name]["signature"] != str(score.get_signature())
                                            for name, score in {"bleu": bleu, **chrfs}.items()))
        between += 0 < wanted["bleu"] < 99
        name = max(errors, key=errors.get)
        worst = max(worst, errors[name])
        if not errors[name] <= TOLERANCE:
            bad += 1
            if bad <= 5:
                print(f"FAIL {tokenizer}: {name} differs by {errors[name]:.2e} on {[pairs[number] for number in corpus[:3]]}")
    assert between > 300, f"only {between} corpora are scored between none and all"
    print(f"{'FAIL' if bad else 'ok  '} {tokenizer}: {len(corpora) - bad} of {len(corpora)} corpora agree, worst {worst:.1e}", flush=True)
    return bad


def main(tool):
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    r = random.Random(19)
    made = list(random_pairs(r))
    num_random = len(made)
    pairs = [[hypothesis, said, r.randrange(300), r.random() < 0.7] for hypothesis, said in made + list(pairs_of_all_characters())]
    rouges = [rouge_of(hypothesis, said) for hypothesis, said, *_ in pairs]
    corpora = list(corpora_of(r, pairs, num_random))
    chrfs, chrfs_of = {"chrf": sacrebleu.CHRF(), "chrf++": sacrebleu.CHRF(word_order=2)}, {}
    bad = sum(check(tool, tokenizer, pairs, rouges, corpora, chrfs, chrfs_of) for tokenizer in TOKENIZERS)
    print(f"{len(pairs)} pairs, sacrebleu {sacrebleu.__version__}")
    sys.exit(1 if bad else 0)


main(sys.argv[1])
