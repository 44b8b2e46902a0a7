"""sft-dist noise on rows with planted wrong labels, and robust losses as a user sets them."""
import random
import unittest

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows


class Noise(EndToEnd):
    def planted(self, share=0.15):
        """Rows, and the numbers of those whose label was flipped."""
        draw, flipped = random.Random(4), set()
        rows = [row for row in make_rows(400, 9) if len(row["text"].split()) >= 6][:150]  # of one word nobody could tell the label
        for i, row in enumerate(rows):
            if draw.random() < share:
                flipped.add(i)
                row["label"] = draw.choice([label for label in LABELS if label != row["label"]])
        write_rows(self.home / "noisy.jsonl", rows)
        return rows, flipped

    def noise(self, name="run", *options, ranks=1, **sections):
        data = {"train_file": str(self.home / "noisy.jsonl"), **sections.pop("data", {})}
        config = self.config(name, data=data, train={"num_train_epochs": 8, "global_batch_size": 16}, optim={"learning_rate": 8e-3}, model={"dtype": "float64"}, **sections)
        done = self.succeed("noise", config, "--folds", "3", "--output", self.home / f"{name}.suspicious.jsonl", *options, ranks=ranks)
        self.assertFalse(self.run_dir(name).exists())
        return read_rows(self.home / f"{name}.suspicious.jsonl"), done

    def test_planted_labels_are_found_the_same_on_one_and_two_ranks(self):
        rows, flipped = self.planted()
        found, done = self.noise("one")
        self.assertIn(f"{len(found)} of 150 labels are likely wrong", done.err)
        self.assertEqual(done.err.count("are judged by a model that is trained on the others"), 3)
        precision = sum(row["row"] in flipped for row in found[:15]) / 15
        self.assertGreater(precision, 0.7, f"a random choice has {len(flipped) / 150}")
        self.assertGreater(sum(row["row"] in flipped for row in found), len(flipped) / 2)
        for row in found:
            self.assertEqual(row["place"], f"{self.home / 'noisy.jsonl'}:{row['row'] + 1}")
            self.assertEqual(row["label"], rows[row["row"]]["label"])
            self.assertNotEqual(row["likely_label"], row["label"])
            self.assertLess(row["margin"], 0)
            self.assertLess(row["self_confidence"], 0.5)
        self.assertEqual([row["self_confidence"] for row in found], sorted(row["self_confidence"] for row in found))
        two, _ = self.noise("two", ranks=2)
        self.assertEqual([row["row"] for row in found], [row["row"] for row in two])
        for a, b in zip(found, two):
            self.assertAlmostEqual(a["self_confidence"], b["self_confidence"], delta=1e-9)

    def test_rows_that_folds_found_stand_on_the_page_of_a_run(self):
        rows, _ = self.planted()
        found, _ = self.noise("one")
        for row in found:
            self.assertTrue(rows[row["row"]]["text"].startswith(row["text"].rstrip("…")), row)
        config = self.config("trained", train={"max_steps": 2}, data={"test_file": None})
        self.succeed(config)
        listed = self.home / "one.suspicious.jsonl"
        page = self.run_dir("trained") / "report.html"
        self.assertNotIn("Labels that are likely wrong", page.read_text())
        self.succeed("report", self.run_dir("trained"), "--suspicious", listed)
        text = page.read_text()
        self.assertIn(f"{len(found)} rows whose label is likely wrong by the word of models that have not seen them", text)
        first = found[0]
        at = text.index(first["text"])
        self.assertIn(f"<td>{first['label']}</td><td>{first['likely_label']}</td>", text[at:at + 400])
        self.assertLess(at, text.index(found[1]["text"]))
        for arguments, code, told in (((self.run_dir("trained"), self.run_dir("trained"), "--output", self.home / "two.html"), 78, "on the page of one run"),
                                      ((self.run_dir("trained"), "--output", listed), 78, "is read by this command")):
            done = self.run_program("report", *arguments, "--suspicious", listed)
            self.assertEqual(done.code, code, done.err)
            self.assertIn(told, done.err)
        for name, code, told in (("none.jsonl", 78, "no such file"), ("noisy.jsonl", 79, "noisy.jsonl:1: is no row of `sft-dist noise --folds`")):
            done = self.run_program("report", self.run_dir("trained"), "--suspicious", self.home / name)
            self.assertEqual(done.code, code, done.err)
            self.assertIn(told, done.err)

    def test_rows_that_are_left_out_have_no_number(self):
        self.planted()
        path = self.home / "noisy.jsonl"
        rows = read_rows(path)
        path.write_text("{not json\n" + path.read_text())
        found, _ = self.noise(data={"on_bad_row": "skip"})
        self.assertGreater(len(found), 0)
        for row in found:
            self.assertNotIn("place", row)
            self.assertEqual(row["label"], rows[row["row"]]["label"])

    def test_what_has_no_one_label_is_refused(self):
        write_rows(self.home / "noisy.jsonl", [{"text": row["text"], "label": i / 7} for i, row in enumerate(make_rows(20, 1))])
        config = self.config(data={"train_file": str(self.home / "noisy.jsonl"), "validation_file": None, "test_file": None}, model={"ignore_mismatched_sizes": True})
        done = self.run_program("noise", config)
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("noise looks for wrong labels where each row has one label, and these rows are for text_classification of regression", done.err)

    def test_prepare_tells_test_rows_that_nearly_repeat_training_rows(self):
        train = [{"text": " ".join(f"word{(7 * i + j) % 60}" for j in range(12)), "label": LABELS[i % 3]} for i in range(30)]
        again = [{"text": row["text"].upper() + "!", "label": row["label"]} for row in train[4:6]]
        write_rows(self.home / "train.jsonl", train)
        write_rows(self.home / "test.jsonl", [{"text": "word1 word1 word2", "label": LABELS[0]}, *again])
        config = self.config(data={"train_file": str(self.home / "train.jsonl"), "validation_file": None, "test_file": str(self.home / "test.jsonl")})
        done = self.succeed("prepare", config, ranks=2)
        self.assertEqual(done.err.count("2 of 3 test rows nearly repeat a training row"), 1, done.err)
        found = read_rows(next((self.home / ".prepared").glob("near_duplicates-*.jsonl")))
        self.assertEqual([row["place"] for row in found], [f"{self.home / 'test.jsonl'}:{line}" for line in (2, 3)])
        self.assertEqual([row["nearest_train_place"] for row in found], [f"{self.home / 'train.jsonl'}:{line}" for line in (5, 6)])
        self.assertEqual([row["similarity"] for row in found], [1.0, 1.0])

    def test_robust_losses_train_and_say_what_they_do_not_go_with(self):
        self.succeed(self.config(train={"loss": "gce", "gce_q": 0.5, "num_train_epochs": 1}, data={"test_file": None}))
        for settings, told in (({"loss": "sce", "label_smoothing_factor": 0.1}, "train.label_smoothing_factor is 0.1, and train.loss = 'sce' says how far a label is believed"),
                               ({"loss": "sce", "sce_alpha": 0, "sce_beta": 0}, "train.sce_alpha and train.sce_beta are both 0"), ({"loss": "gce", "gce_q": 0}, "train.gce_q: wanted more than 0 and at most 1, found 0")):
            done = self.run_program(self.config("wrong", train=settings), "--dry-run")
            self.assertEqual(done.code, 78, done.err)
            self.assertIn(told, done.err)
        soft = [{"text": row["text"], "label": {LABELS[0]: 0.7, LABELS[1]: 0.3}} for row in make_rows(9, 1)] + make_rows(30, 2)
        write_rows(self.home / "soft.jsonl", soft)
        done = self.run_program(self.config("soft", data={"train_file": str(self.home / "soft.jsonl")}, train={"loss": "bootstrap"}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("train.loss = 'bootstrap': it is of one label a row", done.err)


if __name__ == "__main__":
    unittest.main()
