"""What a run is served as is what it was trained as: `predict` on the run, and transformers on its export, give what `evaluate` gives. One test a field that decides what a model sees."""
import json
import math
import random
import unittest

from harness import LABELS, WORDS, EndToEnd, make_model, make_rows, read_rows, write_rows


def make_long_rows(count, seed):
    """The last words say the label, after more noise than is kept."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        label = draw.randrange(3)
        noise = [draw.choice(WORDS) for _ in range(draw.randint(15, 30))]
        rows.append({"text": " ".join(noise + [draw.choice(WORDS[label * 20:(label + 1) * 20]) for _ in range(4)]), "label": LABELS[label]})
    return rows


class Served(EndToEnd):
    def write(self, make, *names):
        for i, name in enumerate(names):
            write_rows(self.home / name, make(80, 20 + i))
        return {"train_file": str(self.home / names[0]), "validation_file": None, "test_file": None}

    def evaluated(self, file):
        return json.loads(self.succeed("evaluate", self.run_dir(), "--file", file).out)

    def loss_of(self, scores, truth):
        return -sum(math.log(row[label]) for row, label in zip(scores, truth)) / len(truth)

    def predicted(self, file, *options, source=None):
        self.predict_run = self.succeed("predict", source or self.run_dir(), "--input", file, "--output", self.home / "p.jsonl", *options)
        return [row["scores"] for row in read_rows(self.home / "p.jsonl")]

    def by_transformers(self, first, second=None):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.run_dir() / "model")
        model = AutoModelForSequenceClassification.from_pretrained(self.run_dir() / "model").eval()
        encoded = tokenizer(*([first, second] if second else [first]), padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            probabilities = torch.softmax(model(**encoded).logits.double(), -1)
        return [{model.config.id2label[i]: p for i, p in enumerate(row)} for row in probabilities.tolist()]

    def assert_served(self, file, first, second=None, truth="label"):
        """Rows to predict hold no label."""
        rows = read_rows(file)
        told, labels = self.evaluated(file), [row[truth] for row in rows]
        bare = self.home / "bare.jsonl"
        write_rows(bare, [{key: value for key, value in row.items() if key != truth} for row in rows])
        self.assertAlmostEqual(self.loss_of(self.predicted(bare), labels), told["eval_loss"], delta=1e-5)
        theirs = self.by_transformers([first(row) for row in rows], [second(row) for row in rows] if second else None)
        self.assertAlmostEqual(self.loss_of(theirs, labels), told["eval_loss"], delta=1e-5)
        self.assertEqual(sum(max(row, key=row.get) == label for row, label in zip(theirs, labels)) / len(rows), told["eval_accuracy"])

    def test_side_and_length_of_the_cut(self):
        for side in ("left", "right"):
            with self.subTest(side=side):
                self.succeed(self.config(data={**self.write(make_long_rows, "train.jsonl", "new.jsonl"), "truncation": side, "max_length": 9}, train={"num_train_epochs": 6}, top={"overwrite_output_dir": True}))
                self.assert_served(self.home / "new.jsonl", lambda row: row["text"])
                self.assertEqual(json.loads((self.run_dir() / "model/tokenizer_config.json").read_text())["truncation_side"], side)

    def test_a_config_without_a_side_cuts_where_the_models_tokenizer_does(self):
        tokenizer = self.home / "model" / "tokenizer_config.json"
        make_model(tokenizer.parent)
        tokenizer.write_text(json.dumps({**json.loads(tokenizer.read_text()), "truncation_side": "left"}))
        self.succeed(self.config(model={"model_name_or_path": str(tokenizer.parent)}, data={**self.write(make_long_rows, "train.jsonl", "new.jsonl"), "max_length": 9}, train={"num_train_epochs": 6}))
        self.assertEqual(json.loads((self.run_dir() / "model/tokenizer_config.json").read_text())["truncation_side"], "left")
        self.assert_served(self.home / "new.jsonl", lambda row: row["text"])
        asked = self.config("asked", model={"model_name_or_path": str(tokenizer.parent)}, data={**self.write(make_long_rows, "train.jsonl", "new.jsonl"), "max_length": 9, "truncation": "right"})
        self.succeed(asked)
        self.assertEqual(json.loads((self.run_dir("asked") / "model/tokenizer_config.json").read_text())["truncation_side"], "right")

    def test_a_model_directory_says_what_it_assumes_and_knows_its_cut(self):
        self.succeed(self.config(data={**self.write(make_long_rows, "train.jsonl", "new.jsonl"), "truncation": "left", "max_length": 9}))
        of_run = self.predicted(self.home / "new.jsonl")
        self.assertNotIn("a model directory", self.predict_run.err)
        self.assertEqual(self.predicted(self.home / "new.jsonl", source=self.run_dir() / "model"), of_run)
        self.assertIn("the text is read from text and cut on the left to 9 tokens", self.predict_run.err)

    def test_columns_joined_columns_and_weights(self):
        def make(count, seed):
            return [{"head": row["text"].split()[0], "body": " ".join(row["text"].split()[1:]), "class": row["label"], "importance": 1 + i % 2} for i, row in enumerate(make_rows(count, seed))]

        data = {**self.write(make, "train.jsonl", "new.jsonl"), "text_column": ["head", "body"], "label_column": "class", "weight_column": "importance"}
        self.succeed(self.config(data=data))
        write_rows(self.home / "new.jsonl", [{key: value for key, value in row.items() if key != "importance"} | {"importance": 1} for row in read_rows(self.home / "new.jsonl")])
        self.assert_served(self.home / "new.jsonl", lambda row: f'{row["head"]} {row["body"]}', truth="class")
        write_rows(self.home / "unweighted.jsonl", [{"head": "word1", "body": "word2"}])
        self.assertEqual(len(self.predicted(self.home / "unweighted.jsonl")), 1)
        joined = self.predicted(self.home / "new.jsonl", "--text-column", "head", "body", source=self.run_dir() / "model")
        self.assertEqual(joined, self.predicted(self.home / "new.jsonl"))
        done = self.run_program("predict", self.run_dir() / "model", "--input", self.home / "new.jsonl", "--output", self.home / "x.jsonl")
        self.assertEqual(done.code, 78)
        self.assertIn("--text-column", done.err)

    def test_pairs(self):
        data = {**self.write(lambda count, seed: make_rows(count, seed, pairs=True), "train.jsonl", "new.jsonl"), "text_pair_column": "second", "max_length": 10, "truncation": "left"}
        self.succeed(self.config(data=data))
        self.assert_served(self.home / "new.jsonl", lambda row: row["text"], lambda row: row["second"])

    def test_weights_are_said_to_be_of_the_type_they_are(self):
        import torch
        from transformers import AutoModelForSequenceClassification

        narrow = self.home / "narrow"
        make_model(narrow)
        AutoModelForSequenceClassification.from_pretrained(narrow, dtype=torch.bfloat16).save_pretrained(narrow)
        self.assertEqual(json.loads((narrow / "config.json").read_text())["dtype"], "bfloat16")
        self.succeed(self.config(model={"model_name_or_path": str(narrow)}, data=self.write(make_rows, "train.jsonl", "new.jsonl")))
        self.assertEqual(json.loads((self.run_dir() / "model/config.json").read_text())["dtype"], "float32")
        self.assert_served(self.home / "new.jsonl", lambda row: row["text"])

    def test_labels_in_the_models_own_order(self):
        other = self.home / "other"
        make_model(other, labels=[LABELS[2], LABELS[0], LABELS[1]])
        self.succeed(self.config(model={"model_name_or_path": str(other)}, data=self.write(make_rows, "train.jsonl", "new.jsonl")))
        self.assert_served(self.home / "new.jsonl", lambda row: row["text"])

    def test_a_head_of_other_labels_is_told(self):
        other = self.home / "other"
        make_model(other, labels=["Beta", "Alpha", "Gamma Delta"])
        done = self.succeed(self.config(model={"model_name_or_path": str(other)}, train={"max_steps": 1}))
        self.assertIn("was trained for other labels: what it knows of 'Beta' is taken for 'alpha'", done.err)
        self.assertNotIn("other labels", self.succeed(self.config("own", train={"max_steps": 1})).err)


class ServedImages(EndToEnd):
    def test_size_crop_and_statistics_of_channels(self):
        from test_images import CLASSES, make_images, make_resnet

        make_resnet(self.home / "model")
        for name, count in (("train", 48), ("new", 30)):
            make_images(self.home / name, count, 5)
        data = {"train_file": str(self.home / "train"), "validation_file": None, "test_file": None, "max_length": None, "image_size": 16, "crop": "center", "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}
        self.succeed(self.config(data=data, model={"model_name_or_path": str(self.home / "model"), "task": "image_classification"}))
        told = json.loads(self.succeed("evaluate", self.run_dir(), "--file", self.home / "new").out)
        for source in (self.run_dir(), self.run_dir() / "model"):
            self.succeed("predict", source, "--input", self.home / "new", "--output", self.home / "p.jsonl")
            rows = read_rows(self.home / "p.jsonl")
            truth = [next(name for name in CLASSES if f"/{name}/" in row["image"]) for row in rows]
            self.assertAlmostEqual(-sum(math.log(row["scores"][label]) for row, label in zip(rows, truth)) / len(rows), told["eval_loss"], delta=1e-5)


if __name__ == "__main__":
    unittest.main()
