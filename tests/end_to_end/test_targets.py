"""Sets of labels and numbers as targets, from raw rows to a model that transformers loads."""
import json
import unittest

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows

SAVES = {"save_strategy": "steps", "save_steps": 5}


def relabelled(rows, form):
    """A set: the row's label, and "long" where it has many words. A number: those words, on a scale of its own."""
    out = []
    for row in rows:
        words = len(row["text"].split())
        if form == "sets":
            target = [row["label"]] * (row["label"] != LABELS[2]) + ["long"] * (words > 6)
        else:
            target = words / 4 + LABELS.index(row["label"]) - 2.125
        out.append({"text": row["text"], "label": target})
    return out


class Targets(EndToEnd):
    def form(self, form, **sections):
        for split, seed, count in (("train", 1, 90), ("validation", 2, 41), ("test", 3, 37)):
            write_rows(self.home / f"{split}.jsonl", relabelled(make_rows(count, seed), form))
        data = {f"{split}_file": str(self.home / f"{split}.jsonl") for split in ("train", "validation", "test")}
        if form == "numbers":  # the shared model's head has three outputs
            sections["model"] = {**sections.get("model", {}), "ignore_mismatched_sizes": True}
        return {"data": data, "train": {"num_train_epochs": 10}, **sections}

    def logits_of_transformers(self, directory, rows):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(directory)
        model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
        encoded = tokenizer([row["text"] for row in rows], padding=True, truncation=True, max_length=32, return_tensors="pt")
        with torch.no_grad():
            return model, model(**encoded).logits

    def assert_resumes_alike(self, sections, key):
        self.succeed(self.config("straight", save=SAVES, **sections), ranks=2)
        killed = self.config("killed", save=SAVES, **sections)
        self.assertNotEqual(self.run_program(killed, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@18=kill"}).code, 0)
        self.succeed(killed, ranks=2)
        self.assertEqual(self.weights("killed"), self.weights("straight"))
        self.assertEqual(self.lines("killed", key), self.lines("straight", key))

    def test_sets_of_labels(self):
        import torch
        from sklearn import metrics
        from sklearn.preprocessing import MultiLabelBinarizer

        sections = self.form("sets")
        done = self.succeed(self.config(**sections), ranks=3)
        self.assertIn("model.problem_type is multi_label_classification", done.err)
        rows = read_rows(self.home / "test.jsonl")
        model, logits = self.logits_of_transformers(self.run_dir() / "model", rows)
        self.assertEqual(model.config.problem_type, "multi_label_classification")
        self.assertEqual(list(model.config.id2label.values()), ["alpha", "beta", "long"])
        self.succeed("predict", self.run_dir(), "--input", self.home / "test.jsonl", "--output", self.home / "again.jsonl", ranks=2)
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        for mine, again, row in zip(ours, read_rows(self.home / "again.jsonl"), torch.sigmoid(logits).tolist(), strict=True):
            for name, score in zip(model.config.id2label.values(), row):
                self.assertAlmostEqual(mine["scores"][name], score, delta=1e-5)
                self.assertAlmostEqual(again["scores"][name], score, delta=1e-5)
            self.assertEqual(mine["labels"], [name for name in mine["scores"] if mine["scores"][name] > 0.5])

        sets = MultiLabelBinarizer(classes=["alpha", "beta", "long"])
        truth, guess = sets.fit_transform([row["label"] for row in rows]), sets.transform([row["labels"] for row in ours])
        test = self.summary()["test_metrics"]
        for average in ("micro", "macro", "weighted", "samples"):
            name = "f1" if average == "macro" else f"f1_{average}"
            self.assertAlmostEqual(test[name], metrics.f1_score(truth, guess, average=average, zero_division=0), places=12)
        self.assertAlmostEqual(test["accuracy"], metrics.accuracy_score(truth, guess), places=12)
        self.assertAlmostEqual(test["hamming_loss"], metrics.hamming_loss(truth, guess), places=12)
        self.assertGreater(test["f1_micro"], 0.7)
        again = json.loads(self.succeed("evaluate", self.run_dir(), "--split", "test", "--checkpoint", "last", ranks=2).out)
        self.assertEqual(again["eval_f1_micro"], test["f1_micro"])

    def test_number_of_ranks_changes_no_loss_and_no_metric(self):
        for form in ("sets", "numbers"):
            sections = self.form(form, model={"dtype": "float64"})
            for ranks in (1, 3):
                self.succeed(self.config(f"{form}{ranks}", **sections), ranks=ranks)
            for key in ("loss", "grad_norm", "eval_loss", "eval_f1_samples" if form == "sets" else "eval_spearman"):
                expected, actual = self.lines(f"{form}1", key), self.lines(f"{form}3", key)
                self.assertEqual(list(expected), list(actual))
                self.assertTrue(expected)
                for step, value in expected.items():
                    self.assertAlmostEqual(actual[step], value, delta=1e-12 * max(1, abs(value)))

    def test_sets_resume_bitwise(self):
        self.assert_resumes_alike(self.form("sets", train={"num_train_epochs": 3, "pos_weight": "balanced"}), "eval_f1_micro")

    def test_numbers_resume_bitwise(self):
        self.assert_resumes_alike(self.form("numbers", train={"num_train_epochs": 3, "loss": "huber"}), "eval_spearman")

    def test_threshold_is_kept_with_the_model(self):
        sections = self.form("sets", train={"num_train_epochs": 2}, eval={"threshold": 0.9})
        self.succeed(self.config(**sections))
        self.succeed("predict", self.run_dir(), "--input", self.home / "test.jsonl", "--output", self.home / "again.jsonl")
        for row in read_rows(self.home / "again.jsonl"):
            self.assertEqual(row["labels"], [name for name in row["scores"] if row["scores"][name] > 0.9])

    def test_numbers(self):
        from scipy import stats
        from sklearn import metrics

        done = self.succeed(self.config(**self.form("numbers")), ranks=3)
        self.assertIn("model.problem_type is regression", done.err)
        rows = read_rows(self.home / "test.jsonl")
        model, logits = self.logits_of_transformers(self.run_dir() / "model", rows)
        self.assertEqual(model.config.problem_type, "regression")
        self.succeed("predict", self.run_dir(), "--input", self.home / "test.jsonl", "--output", self.home / "again.jsonl", ranks=2)
        ours = [row["value"] for row in read_rows(self.run_dir() / "predictions.jsonl")]
        for mine, again, theirs in zip(ours, read_rows(self.home / "again.jsonl"), logits[:, 0].tolist(), strict=True):
            self.assertAlmostEqual(mine, theirs, delta=2e-5)
            self.assertAlmostEqual(again["value"], theirs, delta=2e-5)
        truth, test = [row["label"] for row in rows], self.summary()["test_metrics"]
        self.assertAlmostEqual(test["mse"], metrics.mean_squared_error(truth, ours), places=12)
        self.assertAlmostEqual(test["loss"], test["mse"], places=12)
        self.assertAlmostEqual(test["mae"], metrics.mean_absolute_error(truth, ours), places=12)
        self.assertAlmostEqual(test["r2"], metrics.r2_score(truth, ours), places=12)
        self.assertAlmostEqual(test["pearson"], stats.pearsonr(truth, ours).statistic, places=12)
        self.assertAlmostEqual(test["spearman"], stats.spearmanr(truth, ours).statistic, places=12)
        self.assertGreater(test["spearman"], 0.5)

    def test_several_numbers_and_a_constant_one(self):
        rows = [{"text": row["text"], "label": [row["label"], 0.25]} for row in relabelled(make_rows(40, 1), "numbers")]
        write_rows(self.home / "two.jsonl", rows)
        data = {"train_file": str(self.home / "two.jsonl"), "validation_file": str(self.home / "two.jsonl"), "test_file": str(self.home / "two.jsonl")}
        done = self.succeed(self.config(data=data, model={"ignore_mismatched_sizes": True}, train={"loss": "huber", "num_train_epochs": 1}), ranks=2)
        self.assertEqual(done.err.count("have no correlation"), 1)
        test = self.summary()["test_metrics"]
        self.assertIsNone(test["pearson"])
        self.assertEqual(len(read_rows(self.run_dir() / "predictions.jsonl")[0]["value"]), 2)

    def test_what_is_wrong_is_named(self):
        wrong = [({"label": ["a", "a"]}, {}, 79, "names the label 'a' twice"), ({"label": ["a", 0]}, {"train": {"loss": "mse"}}, 78, "sets of labels are learned by bce"),
                 ({"label": 0.5}, {"train": {"loss": "bce"}}, 78, "numbers are learned by mse, mae or huber"), ({"label": "x"}, {"train": {"loss": "mae"}}, 78, "one label a row is learned by cross_entropy, focal, gce, sce or bootstrap"),
                 ({"label": 0.5}, {"train": {"pos_weight": "balanced"}}, 78, "train.pos_weight is for sets of labels"),
                 ({"label": [0.5, 1]}, {"data": {"validation_file": str(self.shared / "validation.jsonl")}}, 79, "validation.jsonl:1: column 'label' wanted a finite number, found '")]
        for number, (row, sections, code, message) in enumerate(wrong):
            with self.subTest(message):
                first = {"label": "y"} if row["label"] == "x" else {"label": ["b", "c"]} if "a" in str(row["label"]) else row
                write_rows(self.home / f"{number}.jsonl", [{"text": "word1", **first}, {"text": "word2", **row}])
                data = {"train_file": str(self.home / f"{number}.jsonl"), "validation_file": None, "test_file": None, **sections.get("data", {})}
                done = self.run_program(self.config(f"wrong{number}", **{**sections, "data": data}))
                self.assertEqual(done.code, code, done.err)
                self.assertIn(message, done.err)


if __name__ == "__main__":
    unittest.main()
