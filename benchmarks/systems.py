#!/usr/bin/env python3
"""Every system that configs/ has one of, small, on 2 ranks, beside its peer (peer_system.py: transformers' Trainer, torchvision) with the same rows and
settings, and beside a linear model of scikit-learn on the same rows.

    .deps/venv/bin/python benchmarks/systems.py [NAME...] [--seeds N|A-B] [--budget SECONDS] [--set KEY=VALUE...] > benchmarks/systems.txt

The two draw different numbers from a seed; scores are means over N seeds, and behind the difference stands the standard error of its mean. With a budget, rows are cut so that a pair
takes about so many seconds: two short pairs tell what a start and what a row costs. Seconds are of whole processes, from exec to exit, on all cores of the machine: two ranks of ours, one process of the peer. The linear models see TF-IDF of words and pairs of words, of tagged words the word, its shape, its endings and its neighbours, of images the pixels.
Data and models come from tools/fetch_*.py, minilm_as.py and draw_images.py, which are called where they are missing.
"""
import argparse
import json
import math
import re
import shutil
import statistics
import subprocess
import sys

import numpy as np

from common import ROOT, Run, call, machine

DATA = ROOT / "demo/data"
ROWS = 1024  # of long texts: to learn from, and to be tested on


def rows(name, count=None):
    with open(DATA / name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines][:count]


def tf_idf(train, test):
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    return words.fit_transform(train), words.transform(test)


def one_section():
    from sklearn.svm import LinearSVC

    train, test = rows("short_train.jsonl"), rows("short_test.jsonl")
    x, z = tf_idf([r["text"] for r in train], [r["text"] for r in test])
    guess = LinearSVC().fit(x, [r["label"] for r in train]).predict(z)
    return float(np.mean(guess == [r["label"] for r in test]))


def chinese():
    """By characters, and runs of two and three of them."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    train, test = rows("chinese_train.jsonl"), rows("chinese_test.jsonl")
    signs = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2)
    x = signs.fit_transform([r["text"] for r in train])
    guess = LinearSVC().fit(x, [r["label"] for r in train]).predict(signs.transform([r["text"] for r in test]))
    return float(np.mean(guess == [r["label"] for r in test]))


def tags():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import MultiLabelBinarizer

    train, test = rows("tags_train.jsonl", ROWS), rows("tags_test.jsonl", ROWS)
    x, z = tf_idf([r["text"] for r in train], [r["text"] for r in test])
    names = MultiLabelBinarizer().fit([r["label"] for r in train + test])
    model = OneVsRestClassifier(LogisticRegression(C=100)).fit(x, names.transform([r["label"] for r in train]))
    return f1_score(names.transform([r["label"] for r in test]), model.predict(z), average="micro", zero_division=0)


def size():
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    train, test = rows("size_train.jsonl", ROWS), rows("size_test.jsonl", ROWS)
    x, z = tf_idf([r["text"] for r in train], [r["text"] for r in test])
    return r2_score([r["label"] for r in test], Ridge().fit(x, [r["label"] for r in train]).predict(z))


def match():
    """By the words that both have: their number, their share, the cosine of TF-IDF."""
    from sklearn.linear_model import LogisticRegression

    train, test = rows("match_train.jsonl", ROWS), rows("match_test.jsonl", ROWS)
    all_texts = lambda part: [r["text"] for r in part] + [r["second"] for r in part]
    x, z = tf_idf(all_texts(train), all_texts(test))

    def features(part, vectors):
        cosine = np.asarray(vectors[:len(part)].multiply(vectors[len(part):]).sum(1)).ravel()
        shared = [len(set(r["text"].lower().split()) & set(r["second"].lower().split())) for r in part]
        return np.c_[cosine, shared, np.divide(shared, [len(r["text"].split()) for r in part])]

    model = LogisticRegression().fit(features(train, x), [r["label"] for r in train])
    return float(np.mean(model.predict(features(test, z)) == [r["label"] for r in test]))


def sentences(name):
    blocks = (DATA / name).read_text(encoding="utf-8").strip().split("\n\n")
    return [[line.split(" ") for line in block.split("\n")] for block in blocks]


def tagged():
    import re

    from seqeval.metrics import f1_score
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    def shape(word):
        return re.sub(r"(.)\1+", r"\1", re.sub(r"\d", "0", re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", word))))

    def features(words, i):
        near = {f"{at}:{words[i + at].lower()}": 1 for at in (-2, -1, 0, 1, 2) if 0 <= i + at < len(words)}
        return {**near, f"shape:{shape(words[i])}": 1, f"end:{words[i][-3:]}": 1, f"start:{words[i][:3]}": 1}

    train, test = sentences("tagged_train.conll"), sentences("tagged_test.conll")
    each = lambda part: [features([w for w, _ in s], i) for s in part for i in range(len(s))]
    vectors = DictVectorizer()
    model = LogisticRegression(C=10, max_iter=200).fit(vectors.fit_transform(each(train)), [t for s in train for _, t in s])
    guess = iter(model.predict(vectors.transform(each(test))))
    return f1_score([[t for _, t in s] for s in test], [[next(guess) for _ in s] for s in test])


def pixels(folder, count=None, tested=None):
    from sklearn.linear_model import LogisticRegression

    def read(name):
        records = np.fromfile(DATA / folder / name, np.uint8).reshape(-1, 3073)
        return records[:, 1:] / 255.0 - 0.5, records[:, 0]

    (x, y), (z, truth) = read("data_batch_1.bin"), read("test_batch.bin")
    return float(np.mean(LogisticRegression(max_iter=100).fit(x[:count], y[:count]).predict(z[:tested]) == truth[:tested]))


def digits():
    from sklearn.linear_model import LogisticRegression

    train, test = (read_digits(DATA / f"digits_{part}.h5") for part in ("train", "test"))
    return float(np.mean(LogisticRegression(max_iter=500).fit(train[0], train[1]).predict(test[0]) == test[1]))


def read_digits(path):
    import h5py

    with h5py.File(path) as file:
        return file["pixels"][:].reshape(len(file["y"]), -1) / 255.0, file["y"][:]


MINILM = ["fetch_demo.py"]
NEEDS = {**{name: ["minilm_as.py", name] for name in ("distilbert", "roberta", "electra")}, **dict.fromkeys(("tags", "size", "match"), ["fetch_targets_demo.py"]), "tagged": ["fetch_tagged_demo.py"],
         "chinese": ["fetch_e5.py"], "keras": ["fetch_keras_demo.py"], "dino": ["fetch_dinov2.py"]}
FROM_RANDOM = ["modernbert", "albert", "xlnet"]  # small ones, with MiniLM's tokenizer
DRAWN = {"shapes": ["shapes"], "transfer": ["shapes", "textures"], "untrained": ["textures"], "keras": ["textures"], "dino": ["textures"]}


def fetch(names):
    of_texts = [name for name in names if name not in DRAWN and name not in ("digits", "chinese")]
    scripts = [MINILM] * bool(of_texts) + [NEEDS[name] for name in names if name in NEEDS]
    for script in dict.fromkeys(map(tuple, scripts)):
        subprocess.run([sys.executable, ROOT / "tools" / script[0], *script[1:]], check=True, stdout=sys.stderr)
    for kind in dict.fromkeys(kind for name in names for kind in DRAWN.get(name, [])):
        if not (DATA / kind / "test_batch.bin").exists():
            subprocess.run([sys.executable, ROOT / "tools/draw_images.py", DATA / kind, "--set", kind], check=True, stdout=sys.stderr)
    for family in set(FROM_RANDOM) & set(names):
        home = ROOT / f"demo/models/{family}_small"
        home.mkdir(parents=True, exist_ok=True)
        for file in (ROOT / f"configs/{family}_small/config.json", *(ROOT / "demo/models/minilm").glob("tokenizer*")):
            shutil.copy(file, home)
    if "digits" in names and not (DATA / "digits_test.h5").exists():
        import h5py
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        for part, chosen in (("train", slice(0, 1400)), ("test", slice(1400, None))):
            with h5py.File(DATA / f"digits_{part}.h5", "w") as file:
                file["pixels"], file["y"] = (images[chosen].reshape(-1, 8, 8) * 15.9).astype(np.uint8), labels[chosen]


SMALL = [f"data.max_train_samples={ROWS}", f"data.max_eval_samples={ROWS}", "train.num_train_epochs=2", "train.global_batch_size=16"]
DIGITS = [f'data.train_file="{DATA}/digits_train.h5"', f'data.test_file="{DATA}/digits_test.h5"', "data.image_size=32", "data.horizontal_flip=false"]
RANDOM_TRUNK = ['model.model_name_or_path="configs/resnet18"', "model.init=random"]
FEW = ["data.max_train_samples=1000", "data.max_eval_samples=1000"]
# name: (what is told of what, config, overrides, metric, what the linear model reaches)
SYSTEMS = {
    "sections": ("one of 57 sections of a line", "bert_text_classification", [], "accuracy", one_section),
    "distilbert": ("the same, MiniLM as DistilBERT", "distilbert_text_classification", [], "accuracy", one_section),
    "roberta": ("the same, MiniLM as RoBERTa", "roberta_text_classification", [], "accuracy", one_section),
    "electra": ("the same, MiniLM as ELECTRA", "electra_text_classification", [], "accuracy", one_section),
    **{family: ("the same, from random weights", f"{family}_text_classification", [], "accuracy", one_section) for family in FROM_RANDOM},
    "tags": ("sets of Debtags of long texts", "bert_multi_label", [*SMALL, "eval.threshold=0.2"], "f1_micro", tags),
    "size": ("installed size of long texts", "bert_regression", SMALL, "r2", size),
    "match": ("do two texts belong together?", "bert_semantic_matching", SMALL, "accuracy", match),
    "tagged": ("names, versions, files in words", "bert_token_classification", ["train.num_train_epochs=2"], "f1", tagged),
    "chinese": ("one of 17 sections, in Chinese", "e5_chinese_text_classification", [], "accuracy", chinese),
    "digits": ("scikit-learn's digits, HDF5", "resnet_image_classification", DIGITS, "accuracy", digits),
    "shapes": ("ten drawn shapes, random weights", "resnet_image_classification", [], "accuracy", lambda: pixels("shapes")),
    "transfer": ("ten textures, frozen shapes' trunk", "resnet_transfer", [f'model.model_name_or_path="runs/bench/shapes/model"'], "accuracy", lambda: pixels("textures")),
    "untrained": ("ten textures, frozen random trunk", "resnet_transfer", RANDOM_TRUNK, "accuracy", lambda: pixels("textures")),
    "keras": ("ten textures, Keras's mini-Xception", "keras_transfer", FEW, "accuracy", lambda: pixels("textures", 1000, 1000)),
    "dino": ("ten textures, frozen DINOv2-small", "dinov2_transfer", [], "accuracy", lambda: pixels("textures", 200, 100)),
}
PROBES = (64, 128)  # rows of the pairs that tell what a row costs


def peer(run, metric):
    """Its score, its seconds, and the mean loss of its updates, where it is the Trainer."""
    out, seconds = call([sys.executable, "benchmarks/peer_system.py", run.directory / "config.toml", metric])
    loss = re.search(r"'train_loss': '?([\d.]+)", out)
    return float(out.split()[-1]), seconds, float(loss[1]) if loss else math.nan


def mean_loss(run):
    """Of a run's updates; each line tells the mean since the line before."""
    steps = run.steps()
    counts = [after["step"] - before for before, after in zip([0, *(step["step"] for step in steps)], steps)]
    return sum(count * step["loss"] for count, step in zip(counts, steps)) / sum(counts)


def both(name, config, overrides, metric, seed):
    run = Run(name, config, *overrides, *([] if seed is None else [f"seed={seed}"]))
    theirs, seconds, their_loss = peer(run, metric)
    print(f"{name}, seed {seed}: {run.test[metric]:.4f}, peer {theirs:.4f}; mean loss of all updates {mean_loss(run):.4f}, peer {their_loss:.4f}", file=sys.stderr, flush=True)
    return {"ours": run.test[metric], "peer": theirs, "differ": run.test[metric] - theirs, "seconds": run.seconds, "peer s": seconds}


def cut(seconds, name, config, overrides, metric, told):
    """Overrides by which a pair takes about so many seconds; told of on standard error."""
    costs = []
    for count in PROBES:
        result = both(name, config, [*overrides, f"data.max_train_samples={count}", f"data.max_eval_samples={count}"], metric, 1)
        costs.append(result["seconds"] + result["peer s"])
    a_row = max((costs[1] - costs[0]) / (PROBES[1] - PROBES[0]), 1e-3)
    count = max(int((seconds - costs[0]) / a_row) + PROBES[0], PROBES[0])
    print(f"{name}: {costs[0]:.0f} and {costs[1]:.0f} seconds for {PROBES[0]} and {PROBES[1]} rows, so {count:,} rows at most", file=sys.stderr)
    limits = {key: min(count, told.get(key) or count) for key in ("data.max_train_samples", "data.max_eval_samples")}
    return [f"{key}={value}" for key, value in limits.items()]


def settings_of(overrides):
    """The numbers of rows among KEY=VALUE."""
    return {key: int(value) for key, _, value in (each.partition("=") for each in overrides) if key.startswith("data.max_")}


def seeds_of(text):
    first, _, last = text.rpartition("-")
    return [None] if text == "1" else list(range(int(first or 1), int(last) + 1))


def seeds_told(seeds):
    return "1 seed" if seeds == [None] else f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=[])
    parser.add_argument("--seeds", type=seeds_of, default=[None], metavar="N|A-B", help="1 … N, or A … B; 1: that of the config")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="that a pair takes; rows are cut to it")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the config, for both sides")
    options = parser.parse_args()
    fetch(options.names or list(SYSTEMS))
    print(f"{machine()}; {seeds_told(options.seeds)} {' '.join(options.set)}\n")
    print(f"{'system':<10} {'what':<35} {'config':<29} {'metric':<9} {'sft-dist':>8} {'peer':>7} {'differ':>7} {'± ':>7} {'linear':>7} {'seconds':>8} {'peer s':>7}", flush=True)
    for name in options.names or SYSTEMS:
        what, config, overrides, metric, linear = SYSTEMS[name]
        if options.budget:
            overrides = [*overrides, *cut(options.budget, name, config, [*overrides, *options.set], metric, settings_of(overrides))]
        results = [both(name, config, [*overrides, *options.set], metric, seed) for seed in options.seeds]
        mean = {column: statistics.mean(result[column] for result in results) for column in results[0]}
        error = f"{statistics.stdev(result['differ'] for result in results) / len(results) ** 0.5:.4f}" if len(results) > 1 else ""
        print(f"{name:<10} {what:<35} {config:<29} {metric:<9} {mean['ours']:>8.4f} {mean['peer']:>7.4f} {mean['differ']:>+7.4f} {error:>7} {linear():>7.4f} {mean['seconds']:>8.1f} {mean['peer s']:>7.1f}", flush=True)


if __name__ == "__main__":
    main()
