#!/usr/bin/env python3
"""Makes questions and answers of Debian's package lists, by rule, in SQuAD 2.0's JSON. Writes under demo/data/ (git-ignored):
questions_train.json (4,000 questions), questions_validation.json (800), questions_test.json (1,500).

A context is a package's long description with what its fields say put in as sentences, at places that a hash chooses; a
question asks for one field. A third asks for a field of which the context says nothing. Packages are split by a hash of
their source, so that near-duplicates stay on one side. Rule-made: easier than what people ask. A second call does nothing.
"""
import json
import pathlib
import re
import tempfile

from debian_descriptions import DEMO, long_form, long_texts, package_lists, say, stable_hash, stanzas

# Of each field: how a value is read out of it, sentences that tell it, and questions for it.
FIELDS = {
    "Maintainer": (r"^[^<@]+", ["{package} is maintained by {value}.", "Bugs go to {value}.", "{value} looks after the package."], ["Who maintains {package}?", "Who takes care of {package}?"]),
    "Version": (r"[\w.+:~-]+", ["The current version is {value}.", "Version {value} of {package} is in the archive."], ["Which version of {package} is there?", "What is the version of {package}?"]),
    "Homepage": (r"\S+", ["Its home page is {value} on the web.", "See {value} for news."], ["Where is the home page of {package}?", "On which site is {package} told of?"]),
    "Section": (r"[\w/-]+", ["It is filed in the section {value} of the archive.", "Debian keeps it among {value}."], ["In which section is {package}?", "Where does Debian file {package}?"]),
    "Installed-Size": (r"\d+", ["Installed, it takes {value} KiB.", "It needs {value} KiB of the disk."], ["How much room does {package} take?", "How many KiB does {package} need?"]),
    "Recommends": (r"[\w.+-]+", ["It works best together with {value}.", "Debian recommends {value} beside it."], ["Which package is recommended with {package}?", "With what does {package} work best?"]),
}


def chosen(options, key):
    return options[stable_hash(key) % len(options)]


def value_of(fields, name):
    found = re.match(FIELDS[name][0], fields.get(name, ""))
    return found.group().strip() if found else ""


def paragraph(fields, description):
    """The context and its questions; nothing where the description is long beyond use."""
    package = fields["Package"]
    sentences = re.split(r"(?<=[a-z)][.!?]) (?=[A-Z])", description)
    told = [name for name in FIELDS if value_of(fields, name) and stable_hash(f"told:{package}:{name}") % 10 < 7]
    for name in told:
        sentence = chosen(FIELDS[name][1], f"sentence:{package}:{name}").format(package=package, value=value_of(fields, name))
        sentences.insert(stable_hash(f"place:{package}:{name}") % (len(sentences) + 1), sentence)
    context = " ".join(sentences)
    questions = []
    for name in FIELDS:
        asked = stable_hash(f"asked:{package}:{name}") % 10 < (6 if name in told else 5)
        if not asked or (name not in told and value_of(fields, name) and value_of(fields, name) in context):
            continue
        answers = []
        if name in told:
            value = value_of(fields, name)
            sentence = chosen(FIELDS[name][1], f"sentence:{package}:{name}")
            start = context.index(sentence.format(package=package, value=value)) + sentence.format(package=package, value="\0").index("\0")
            answers = [{"text": value, "answer_start": start}]
        question = chosen(FIELDS[name][2], f"question:{package}:{name}").format(package=package)
        questions.append({"id": f"{package}/{name}", "question": question, "answers": answers, "is_impossible": not answers})
    return {"context": context, "qas": questions} if questions and len(context) < 4000 else None


def paragraphs():
    """(source, paragraph) of all packages, in a fixed pseudo-random order."""
    with tempfile.TemporaryDirectory() as folder:
        lists = package_lists(pathlib.Path(folder))
        whole, found = long_texts(lists), {}
        for path in lists["Packages"]:
            for fields in stanzas(path):
                description = whole.get(fields.get("Description-md5"))
                if description and fields["Package"] not in found:
                    found[fields["Package"]] = (fields.get("Source", fields["Package"]).split(" ")[0], paragraph(fields, long_form(description)))
    return [found[package] for package in sorted(found, key=lambda package: stable_hash("order:" + package)) if found[package][1]]


def of_side(everything, side, size):
    """So many questions at least, with all others about the last context."""
    kept, count = [], 0
    for source, made in everything:
        if count < size and {0: "test", 1: "validation"}.get(stable_hash("split:" + source) % 10, "train") == side:
            kept.append(made)
            count += len(made["qas"])
    return kept


def main():
    sizes = {"train": 4000, "validation": 800, "test": 1500}
    if all((DEMO / f"data/questions_{name}.json").exists() for name in sizes):
        return
    say("fetching Debian's package lists (about 15 MB)")
    everything = paragraphs()
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    for name, size in sizes.items():
        kept = of_side(everything, name, size)
        document = {"version": "v2.0", "data": [{"title": "Debian's packages", "paragraphs": kept}]}
        (DEMO / f"data/questions_{name}.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        asked = [question for made in kept for question in made["qas"]]
        say(f"questions_{name}.json: {len(asked)} questions about {len(kept)} packages, {sum(question['is_impossible'] for question in asked)} without an answer")


if __name__ == "__main__":
    main()
