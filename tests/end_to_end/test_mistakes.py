"""Validation rows that a run's model is surest of and wrong: the same as those found by hand in its predictions."""
import csv
import random
import unittest

import test_token_classification as tagging
from harness import LABELS, EndToEnd, make_model, make_rows, read_rows, write_rows
from pictures import PictureRuns, make_images
from test_images import make_resnet
from test_report import Page
from test_targets import relabelled

MOST = 15
TITLE = "Which rows it gets wrong (last validation)"


def mislabelled(count, seed):
    draw = random.Random(seed)
    return [{**row, "label": draw.choice(LABELS)} for row in make_rows(count, seed)]


class Mistakes(EndToEnd):
    def predicted(self, rows, *options):
        """What the run's model, which is that of the last evaluation, says of the file."""
        self.succeed("predict", self.run_dir() / "model", "--input", rows, "--output", self.home / "predicted.jsonl", *options)
        return read_rows(self.home / "predicted.jsonl")

    def told(self, name="run"):
        return self.summary(name)["metrics"]["details"]["mistakes"]

    def assert_told(self, told, wanted):
        """`wanted`: (score, row, reference, label) of all wrong rows."""
        wanted = sorted(wanted, key=lambda one: (-one[0], one[1]))[:MOST]
        self.assertEqual([(one["row"], one["reference"], one["label"]) for one in told], [one[1:] for one in wanted])
        for one, (score, *_) in zip(told, wanted):
            self.assertAlmostEqual(one["score"], score, places=5)

    def page(self):
        return Page((self.run_dir() / "report.html").read_text(encoding="utf-8"))

    def test_texts_on_one_rank_and_on_three(self):
        rows = mislabelled(60, 8)
        write_rows(self.home / "validation.jsonl", rows)
        data = {"validation_file": str(self.home / "validation.jsonl"), "test_file": None}
        self.succeed(self.config(data=data))
        self.succeed(self.config("three", data=data), ranks=3)
        ours = self.predicted(self.home / "validation.jsonl")
        wrong = [(mine["score"], number, row["label"], mine["label"]) for number, (row, mine) in enumerate(zip(rows, ours)) if mine["label"] != row["label"]]
        self.assertGreater(len(wrong), MOST)
        self.assert_told(self.told(), wrong)
        for one in self.told():
            self.assertEqual(one["text"], rows[one["row"]]["text"])
            self.assertEqual(one["place"], f"{self.home / 'validation.jsonl'}:{one['row'] + 1}")
        alone, together = self.told(), self.told("three")
        self.assertEqual([one["row"] for one in alone], [one["row"] for one in together])
        text = self.page().all_text()
        self.assertIn(TITLE, text)
        for one in alone:
            self.assertIn(one["text"], text)

    def test_rows_held_back_of_a_table_stand_where_the_table_has_them(self):
        rows = mislabelled(120, 9)
        with open(self.home / "rows.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["label", "text"])
            writer.writeheader()
            writer.writerows({**row, "text": f"{row['text']}\nword{number % 60}"} for number, row in enumerate(rows))
        self.succeed(self.config(data={"train_file": str(self.home / "rows.csv"), "validation_file": None, "test_file": None, "validation_split": 0.3}), ranks=2)
        told = self.told()
        self.assertEqual(len(told), MOST)
        for one in told:
            file, line = one["place"].rsplit(":", 1)
            number = (int(line) - 2) // 2
            self.assertEqual((file, int(line) % 2), (str(self.home / "rows.csv"), 0))
            self.assertEqual(one["text"], f"{rows[number]['text']}\nword{number % 60}")
            self.assertEqual(one["reference"], rows[number]["label"])
        self.assertEqual(len({one["place"] for one in told}), MOST)

    def test_sets_of_labels(self):
        for split, seed in (("train", 1), ("validation", 2)):
            write_rows(self.home / f"{split}.jsonl", relabelled(make_rows(90, seed), "sets"))
        self.succeed(self.config(data={"train_file": str(self.home / "train.jsonl"), "validation_file": str(self.home / "validation.jsonl"), "test_file": None}, eval={"threshold": 0.4}), ranks=2)
        wrong = []
        for number, (row, mine) in enumerate(zip(read_rows(self.home / "validation.jsonl"), self.predicted(self.home / "validation.jsonl"))):
            of_row = [(score if score > 0.4 else 1 - score, number, *((None, name) if score > 0.4 else (name, None)))
                      for name, score in mine["scores"].items() if (score > 0.4) != (name in row["label"])]
            wrong += [max(of_row, key=lambda one: one[0])] if of_row else []
        self.assertGreater(len(wrong), 3)
        self.assert_told(self.told(), wrong)
        self.assertIn(TITLE, self.page().all_text())

    def test_tags_of_words(self):
        make_model(self.home / "tagger", base_class=True)
        rows = tagging.make_tagged(50, 2)
        write_rows(self.home / "train.jsonl", tagging.make_tagged(90, 1))
        write_rows(self.home / "validation.jsonl", rows)
        self.succeed(self.config(model={"task": "token_classification", "model_name_or_path": str(self.home / "tagger")}, train={"num_train_epochs": 4},
                                 data={"train_file": str(self.home / "train.jsonl"), "validation_file": str(self.home / "validation.jsonl"), "test_file": None, "max_length": 64}), ranks=3)
        wrong, words = [], {}
        theirs = tagging.TokenClassification.tags_of_transformers(self, self.run_dir() / "model", rows, max_length=64)
        for number, (row, mine) in enumerate(zip(rows, theirs)):
            of_row = [(score, -word, truth, guess) for word, (truth, (guess, score)) in enumerate(zip(row["ner_tags"], mine)) if truth != guess]
            if of_row:
                score, word, truth, guess = max(of_row)
                wrong.append((score, number, truth, guess))
                words[number] = -word
        self.assertGreater(len(wrong), 3)
        self.assert_told(self.told(), wrong)
        for one in self.told():
            self.assertEqual(one["word"], words[one["row"]])
            self.assertIn(f"»{rows[one['row']]['tokens'][one['word']]}«", one["text"])

    def test_prepared_rows_have_numbers_alone(self):
        write_rows(self.home / "validation.jsonl", mislabelled(60, 8))
        config = self.config(data={"validation_file": str(self.home / "validation.jsonl"), "test_file": None, "prepared_dir": str(self.home / "prepared")})
        self.succeed("prepare", config)
        [shard] = (self.home / "prepared").glob("validation-*/*.h5")
        self.succeed(self.config("again", data={"validation_file": str(shard), "test_file": None}))
        self.assertEqual(sorted(self.told("again")[0]), ["label", "reference", "row", "score"])

    def test_console_says_what_f1_is_and_tells_nothing_twice(self):
        done = self.succeed(self.config(log={"progress": "lines"}), ranks=2)
        evaluation = [line for line in done.err.splitlines() if "evaluation at step" in line][-1]
        test = [line for line in done.err.splitlines() if "test: " in line][-1]
        for line in (evaluation, test):
            self.assertRegex(line, r", f1 \(macro\) 0\.\d")
            self.assertNotIn("f1_micro", line)
        self.assertTrue(self.lines(key="eval_f1_micro"))
        text = self.page().all_text()
        self.assertIn("F1 (macro)", text)
        self.assertNotIn("F1 micro", text)
        self.assertIn("f1 (macro)".capitalize(), self.succeed("inspect", self.run_dir()).out)
        card = (self.run_dir() / "model" / "README.md").read_text()
        self.assertIn("| F1 (macro) | ", card)
        self.assertNotIn("| F1 micro | ", card)


class MistakenPictures(PictureRuns):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_resnet(cls.shared / "resnet")

    def test_pictures_are_in_the_page(self):
        folder = make_images(self.home / "validation", 40, 5)
        for number, path in enumerate(sorted((folder / "cold").iterdir())[1:]):  # wrong labels
            path.rename(folder / "warm" / f"moved{number}{path.suffix}")
        self.succeed(self.images_config(train={"num_train_epochs": 10}, data={"validation_file": str(folder), "test_file": None}), ranks=2)
        told = self.summary()["metrics"]["details"]["mistakes"]
        files = self.files(folder)
        self.assertGreater(len(told), 5)
        for one in told:
            self.assertEqual(one["image"], str(files[one["row"]]))
            self.assertEqual(one["reference"], files[one["row"]].parent.name)
            self.assertNotEqual(one["reference"], one["label"])
        page = Page((self.run_dir() / "report.html").read_text())
        self.assertEqual(page.problems, [])
        pictures = [attributes for name, attributes in page.elements if name == "img"]
        self.assertEqual(len(pictures), len(told))
        self.assertTrue(all(picture["src"].startswith("data:image/png;base64,") for picture in pictures))


if __name__ == "__main__":
    unittest.main()
