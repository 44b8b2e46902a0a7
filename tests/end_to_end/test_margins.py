"""train.record_margins: what the model thought of each training row's label, epoch by epoch."""
import json
import math
import random
import statistics
import unittest

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows

EPOCHS = 4


class Margins(EndToEnd):
    def planted(self):
        draw, flipped = random.Random(4), set()
        rows = [row for row in make_rows(400, 9) if len(row["text"].split()) >= 6][:90]
        for i, row in enumerate(rows):
            if draw.random() < 0.15:
                flipped.add(i)
                row["label"] = draw.choice([label for label in LABELS if label != row["label"]])
        write_rows(self.home / "noisy.jsonl", rows)
        return rows, flipped

    def recorded(self, name, **sections):
        train = {"num_train_epochs": EPOCHS, "global_batch_size": 8, "record_margins": True, **sections.pop("train", {})}
        data = {"train_file": str(self.home / "noisy.jsonl"), "validation_file": None, "test_file": None, **sections.pop("data", {})}
        # Dropout draws are the same on any number of ranks; float64 leaves the order of sums out of what is compared.
        return self.config(name, data=data, train=train, optim={"learning_rate": 8e-3}, model={"dtype": "float64"}, **sections)

    def margins(self, name):
        return read_rows(self.run_dir(name) / "margins.jsonl")

    def assert_same(self, ours, theirs):
        for a, b in zip(ours, theirs, strict=True):
            self.assertEqual((a["row"], a["label"], a["likely_label"]), (b["row"], b["label"], b["likely_label"]))
            for x, y in zip([*a["margins"], a["confidence"], a["variability"]], [*b["margins"], b["confidence"], b["variability"]], strict=True):
                self.assertAlmostEqual(x, y, delta=1e-5)

    def test_rows_in_the_datas_order_the_same_on_any_ranks_and_after_a_death(self):
        rows, flipped = self.planted()
        self.succeed(self.recorded("one"))
        one = self.margins("one")
        self.assertEqual([row["row"] for row in one], list(range(len(rows))))
        self.assertEqual([row["label"] for row in one], [row["label"] for row in rows])
        for row in one:
            self.assertEqual(len(row["margins"]), EPOCHS)
            self.assertAlmostEqual(row["area_under_margin"], statistics.fmean(row["margins"]), delta=1e-6)
            self.assertNotEqual(row["likely_label"], row["label"])
        self.succeed(self.recorded("three"), ranks=3)
        self.assert_same(self.margins("three"), one)
        config = self.recorded("killed", save={"save_strategy": "steps", "save_steps": 7})
        self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@26=kill"}).code, 0)
        self.assertIn("step 21", self.succeed(config).err)
        self.assert_same(self.margins("killed"), one)

        done = self.succeed("noise", self.run_dir("one"), "--output", self.home / "doubted.jsonl", "train.num_train_epochs=9")
        self.assertIn("train.num_train_epochs=9 has no effect: nothing is trained", done.err)
        doubted = read_rows(self.home / "doubted.jsonl")
        self.assertIn(f"{len(doubted)} training rows were doubted", done.err)
        self.assertEqual([row["row"] for row in doubted], [row["row"] for row in sorted(one, key=lambda row: row["area_under_margin"]) if row["area_under_margin"] < 0])
        for row in doubted:
            self.assertEqual(row["place"], f"{self.home / 'noisy.jsonl'}:{row['row'] + 1}")
        found = sum(row["row"] in flipped for row in doubted[:len(flipped)])
        self.assertGreater(found / len(flipped), 0.5, f"a random choice has {len(flipped) / len(rows)}")
        page = (self.run_dir("one") / "report.html").read_text()
        self.assertIn("Rows that the model doubts (training)", page)
        self.assertIn(rows[doubted[0]["row"]]["text"], page)

    def test_rows_beside_those_held_back_stand_where_the_file_has_them(self):
        rows, _ = self.planted()
        self.succeed(self.recorded("split", data={"validation_split": 0.3}), ranks=2)
        placed = [told for told in self.margins("split") if "place" in told]
        self.assertGreater(len(placed), 3)
        for told in placed:
            row = rows[int(told["place"].rsplit(":", 1)[1]) - 1]
            self.assertEqual((told["label"], told["text"]), (row["label"], row["text"]))

    def test_the_margins_of_one_step_are_those_of_transformers_logits(self):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        rows, _ = self.planted()
        start = self.shared / "model"
        # One epoch of two steps that change nothing, so that each row is judged by the model that the files hold.
        config = self.recorded("still", train={"max_steps": 2, "global_batch_size": 45})
        config.write_text(config.read_text().replace("learning_rate = 0.008", "learning_rate = 1e-12").replace("[model]", "[model.config]\nhidden_dropout_prob = 0.0\nattention_probs_dropout_prob = 0.0\n\n[model]"))
        self.succeed(config)
        net, tokenizer = AutoModelForSequenceClassification.from_pretrained(start).eval().double(), AutoTokenizer.from_pretrained(start)
        self.assertEqual(len(self.margins("still")), len(rows))
        with torch.no_grad():
            for told in self.margins("still"):
                logits = net(**tokenizer(rows[told["row"]]["text"], return_tensors="pt", max_length=32, truncation=True)).logits[0].tolist()
                label = sorted(LABELS).index(told["label"])
                rest = max(value for i, value in enumerate(logits) if i != label)
                self.assertAlmostEqual(told["margins"][0], logits[label] - rest, delta=1e-5)
                self.assertAlmostEqual(told["confidence"], math.exp(logits[label]) / sum(map(math.exp, logits)), delta=1e-5)

    def test_other_targets_are_refused_by_key(self):
        write_rows(self.home / "noisy.jsonl", [{"text": row["text"], "label": i / 7} for i, row in enumerate(make_rows(20, 1))])
        config = self.recorded("numbers")
        config.write_text(config.read_text().replace("[model]\n", "[model]\nignore_mismatched_sizes = true\n"))
        done = self.run_program(config)
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("train.record_margins is for rows of one label, and these rows are for text_classification of regression; leave it at false", done.err)

    def test_without_the_key_nothing_is_left(self):
        self.planted()
        self.succeed(self.recorded("none", train={"record_margins": False, "max_steps": 1}))
        self.assertFalse((self.run_dir("none") / "margins.jsonl").exists())
        self.assertNotIn("Rows that the model doubts", (self.run_dir("none") / "report.html").read_text())
        self.assertEqual(json.loads((self.run_dir("none") / "summary.json").read_text())["exit_reason"], "finished")


if __name__ == "__main__":
    unittest.main()
