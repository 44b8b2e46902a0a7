"""Tags of words, from rows and CoNLL files to a model that transformers loads, against transformers and seqeval."""
import json
import random
import unittest

from harness import WORDS, EndToEnd, make_model, read_rows, write_rows


def make_tagged(count, seed):
    """Words of the first third are of one type, of the second third of another; some end in an s, which is a token of its own."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        tokens, tags = [], []
        for _ in range(draw.randint(1, 6)):
            kind = draw.choice(["O", "LOC", "PER"])
            own = WORDS[:20] if kind == "LOC" else WORDS[20:40] if kind == "PER" else WORDS[40:]
            length = draw.randint(1, 3)
            tokens += [draw.choice(own) + draw.choice(["", "s"]) for _ in range(length)]
            tags += ["O"] * length if kind == "O" else [f"B-{kind}"] + [f"I-{kind}"] * (length - 1)
        rows.append({"tokens": tokens, "ner_tags": tags})
    return rows


def conll(rows):
    return "-DOCSTART- -X- O\n\n" + "".join("".join(f"{word} NN {tag}\n" for word, tag in zip(row["tokens"], row["ner_tags"])) + "\n" for row in rows)


class TokenClassification(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_model(cls.shared / "model", base_class=True)
        write_rows(cls.shared / "train.jsonl", make_tagged(90, 1))
        write_rows(cls.shared / "validation.jsonl", make_tagged(41, 2))
        (cls.shared / "test.conll").write_text(conll(make_tagged(37, 3)))

    def config(self, name="run", **sections):
        sections["model"] = {"task": "token_classification", **sections.get("model", {})}
        sections["data"] = {"test_file": str(self.shared / "test.conll"), "max_length": 48, **sections.get("data", {})}
        return super().config(name, **sections)

    def tags_of_transformers(self, directory, rows, max_length=48):
        import torch
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(directory)
        model, loading = AutoModelForTokenClassification.from_pretrained(directory, output_loading_info=True)
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            self.assertEqual(list(loading[kind]), [], kind)
        found = []
        for row in rows:
            encoded = tokenizer(row["tokens"], is_split_into_words=True, truncation=True, max_length=max_length, return_tensors="pt")
            with torch.no_grad():
                probabilities = torch.softmax(model.eval()(**encoded).logits[0], -1)
            words = encoded.word_ids(0)
            firsts = {word: i for i, word in reversed(list(enumerate(words))) if word is not None}
            found.append([(model.config.id2label[int(probabilities[firsts[w]].argmax())], float(probabilities[firsts[w]].max())) if w in firsts else None
                          for w in range(len(row["tokens"]))])
        return found

    def test_metrics_are_seqevals_and_transformers_predicts_the_same(self):
        from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score
        from seqeval.metrics.sequence_labeling import get_entities

        self.succeed(self.config(train={"num_train_epochs": 16}), ranks=3)
        rows, ours = make_tagged(37, 3), read_rows(self.run_dir() / "predictions.jsonl")
        truth, guesses = [row["ner_tags"] for row in rows], [row["tags"] for row in ours]
        test = self.summary()["test_metrics"]
        self.assertAlmostEqual(test["f1"], f1_score(truth, guesses), places=12)
        self.assertAlmostEqual(test["precision"], precision_score(truth, guesses), places=12)
        self.assertAlmostEqual(test["accuracy"], accuracy_score(truth, guesses), places=12)
        report = classification_report(truth, guesses, output_dict=True)
        for kind in ("LOC", "PER"):
            for ours_name, name in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score"), ("support", "support")):
                self.assertAlmostEqual(test["details"]["per_type"][kind][ours_name], report[kind][name], places=12)
        self.assertGreater(test["f1"], 0.4)  # where an entity ends and its like begins cannot be told from these words

        theirs = self.tags_of_transformers(self.run_dir() / "model", rows)
        for row, mine, reference in zip(rows, ours, theirs):
            self.assertEqual(mine["tags"], [tag for tag, _ in reference])
            text = " ".join(row["tokens"])
            expected = get_entities(mine["tags"])
            self.assertEqual([entity["type"] for entity in mine["entities"]], [kind for kind, _, _ in expected])
            for entity, (_, first, last) in zip(mine["entities"], expected):
                self.assertEqual(entity["text"], " ".join(row["tokens"][first:last + 1]))
                self.assertEqual(text[entity["start"]:entity["end"]], entity["text"])
                self.assertAlmostEqual(entity["score"], min(score for _, score in reference[first:last + 1]), delta=1e-5)
        out = json.loads(self.succeed("evaluate", self.run_dir(), "--split", "test", ranks=2).out)
        self.assertAlmostEqual(out["eval_f1"], test["f1"], places=12)

    def test_number_of_ranks_and_form_of_the_file_change_no_loss(self):
        (self.home / "train.conll").write_text(conll(make_tagged(90, 1)))
        data = {"train_file": str(self.home / "train.conll")}
        for name, ranks, keys in (("one", 1, {}), ("three", 3, {}), ("conll", 2, data)):
            self.succeed(self.config(name, model={"dtype": "float64"}, data=keys), ranks=ranks)
        for name in ("three", "conll"):
            for key in ("loss", "grad_norm", "eval_loss", "eval_f1"):
                for step, value in self.lines("one", key).items():
                    self.assertAlmostEqual(self.lines(name, key)[step], value, delta=1e-11 * max(1, abs(value)))

    def test_killed_run_goes_on_bitwise(self):
        saves = {"save_strategy": "steps", "save_steps": 5}
        self.succeed(self.config("straight", save=saves), ranks=2)
        config = self.config("killed", save=saves)
        self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@18=kill"}).code, 0)
        self.succeed(config, ranks=2)
        self.assertEqual(self.weights("killed"), self.weights("straight"))

    def test_predicts_words_texts_and_conll_alike_with_places_in_the_text(self):
        self.succeed(self.config(train={"num_train_epochs": 8}), ranks=2)
        rows = make_tagged(20, 5)
        write_rows(self.home / "words.jsonl", [{"tokens": row["tokens"]} for row in rows])
        texts = ["  é " + "\t\n".join(row["tokens"]) + " " for row in rows]
        write_rows(self.home / "texts.jsonl", [{"text": text} for text in texts])
        (self.home / "untagged.conll").write_text("".join("\n".join(row["tokens"]) + "\n\n" for row in rows))
        found = {}
        for name, ranks in (("words.jsonl", 1), ("texts.jsonl", 3), ("untagged.conll", 2)):
            self.succeed("predict", self.run_dir(), "--input", self.home / name, "--output", self.home / "out.jsonl", ranks=ranks)
            found[name] = read_rows(self.home / "out.jsonl")
        self.assertEqual(found["untagged.conll"], found["words.jsonl"])
        for text, mine, row in zip(texts, found["texts.jsonl"], rows):
            self.assertEqual(len(mine["tags"]), len(row["tokens"]) + 1)
            for entity in mine["entities"]:
                self.assertEqual(text[entity["start"]:entity["end"]], entity["text"])
        self.assertTrue(any(row["entities"] for row in found["texts.jsonl"]))

    def test_entities_of_bilou_hang_on_no_other_words_of_the_row(self):
        tag_of = {"word0": "O", "word1": "U-PER", "word2": "B-LOC", "word3": "L-LOC"}
        draw, rows = random.Random(1), []
        for _ in range(120):
            words = sum((draw.choice([["word0"], ["word1"], ["word2", "word3"]]) for _ in range(6)), [])
            rows.append({"tokens": words, "ner_tags": [tag_of[word] for word in words]})
        write_rows(self.home / "bilou.jsonl", rows)
        data = {"train_file": str(self.home / "bilou.jsonl"), "validation_file": str(self.home / "bilou.jsonl"), "test_file": None}
        done = self.succeed(self.config(data=data, train={"num_train_epochs": 4}))
        self.assertIn("is of BILOU, whose L- and U- begin or end an entity here only beside another type", done.err)
        wanted = {"word0 word1 word0": [("PER", "word1")], "word0 word1 word2 word3": [("PER", "word1"), ("LOC", "word2 word3")], "word0": [], "word1 word1": [("PER", "word1 word1")]}
        write_rows(self.home / "words.jsonl", [{"tokens": text.split()} for text in wanted])
        self.succeed("predict", self.run_dir(), "--input", self.home / "words.jsonl", "--output", self.home / "out.jsonl")
        for (text, entities), row in zip(wanted.items(), read_rows(self.home / "out.jsonl"), strict=True):
            self.assertEqual(row["tags"], [tag_of[word] for word in text.split()])
            self.assertEqual([(entity["type"], entity["text"]) for entity in row["entities"]], entities)

    def test_words_that_truncation_cuts_off_have_no_tag(self):
        config = self.config(data={"max_length": 8})
        self.succeed(config, ranks=2)
        row = {"tokens": WORDS[:10]}
        write_rows(self.home / "long.jsonl", [row])
        self.succeed("predict", self.run_dir(), "--input", self.home / "long.jsonl", "--output", self.home / "out.jsonl")
        tags = read_rows(self.home / "out.jsonl")[0]["tags"]
        self.assertEqual([tag is None for tag in tags], [False] * 6 + [True] * 4)
        self.assertEqual([tag for tag in tags if tag], [tag for tag, _ in filter(None, self.tags_of_transformers(self.run_dir() / "model", [row], 8)[0])])

    def refuse(self, code, *wanted, **data):
        done = self.run_program(self.config(data={"test_file": None, **data}), ranks=2)
        errors = [line for line in done.err.splitlines() if "error:" in line]
        self.assertEqual((done.code, len(errors)), (code, 1), done.err)
        for word in wanted:
            self.assertIn(word, errors[0])

    def file(self, name, content):
        (self.home / name).write_text(content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content))
        return str(self.home / name)

    def test_mistakes_in_rows_are_named(self):
        good = make_tagged(9, 1)
        self.refuse(79, "a.conll:2", "word2", train_file=self.file("a.conll", "word1 O\nword2\nword3 B-LOC\n\n"))
        self.refuse(79, "b.jsonl:10", "ner_tags", "2 tags", "3 words", train_file=self.file("b.jsonl", good + [{"tokens": ["a", "b", "c"], "ner_tags": ["O", "O"]}]))
        self.refuse(79, "c.jsonl:1", "B-ORG", validation_file=self.file("c.jsonl", [{"tokens": ["a"], "ner_tags": ["B-ORG"]}]))
        self.refuse(79, "d.jsonl:1", "tokens", "number 2", train_file=self.file("d.jsonl", [{"tokens": ["a", 3], "ner_tags": ["O", "O"]}]))
        self.refuse(78, "words", "tokens", text_column="words")

    def test_broken_bio_is_told_and_read_as_seqeval_reads_it(self):
        rows = make_tagged(30, 1) + [{"tokens": ["word1", "word2"], "ner_tags": ["O", "I-LOC"]}]
        done = self.succeed(self.config(data={"train_file": self.file("broken.jsonl", rows)}), ranks=2)
        self.assertIn("1 row", done.err)
        self.assertIn("broken.jsonl:31", done.err)
        self.assertIn("I-LOC", done.err)


if __name__ == "__main__":
    unittest.main()
