"""Rare classes and regularisation: what the program logs, against torch and scikit-learn on the very rows that it drew.

Each run makes one update in float64 without dropout, so that its loss is a number that transformers can be asked for."""
import collections
import json
import unittest

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows

STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


class Imbalance(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = [row for row in make_rows(400, 11) if row["label"] != "beta"][:120] + [row for row in make_rows(40, 12) if row["label"] == "beta"][:5]
        for i, row in enumerate(rows):
            row["importance"] = [0, 0.5, 1, 4][i % 4]
        write_rows(cls.shared / "uneven.jsonl", rows)

    def uneven(self, name="run", steps=1, config=None, data=None, **sections):
        sections = {"train": {"max_steps": steps, "global_batch_size": 16, **sections.pop("train", {})}, **sections}
        return self.config(name, model={"dtype": "float64"}, data={"train_file": str(self.shared / "uneven.jsonl"), "validation_file": None, "test_file": None, **(data or {})},
                           log={"sample_ids": True}, save={"save_strategy": "no"}, optim={"learning_rate": 1e-9}, **{"model.config": STILL if config is None else config}, **sections)

    def drawn(self, name="run", step=1):
        rows = read_rows(self.shared / "uneven.jsonl")
        return [rows[i] for i in self.lines(name, "sample_ids")[step]]

    def model(self):
        import torch
        from transformers import AutoModelForSequenceClassification

        torch.set_default_dtype(torch.float64)
        self.addCleanup(torch.set_default_dtype, torch.float32)
        return AutoModelForSequenceClassification.from_pretrained(self.shared / "model", dtype=torch.float64).eval()

    def surprise(self, rows, model):
        """[B, K] of -log p, with its graph."""
        import torch
        from transformers import AutoTokenizer

        encoded = AutoTokenizer.from_pretrained(self.shared / "model")([row["text"] for row in rows], padding=True, truncation=True, max_length=32, return_tensors="pt")
        return -torch.log_softmax(model(**encoded).logits, -1), torch.tensor([LABELS.index(row["label"]) for row in rows])

    def test_balanced_class_weights_are_scikit_learns(self):
        import numpy
        import torch
        from sklearn.utils.class_weight import compute_class_weight

        self.succeed(self.uneven(train={"class_weights": "balanced"}), ranks=2)
        labels = numpy.array([row["label"] for row in read_rows(self.shared / "uneven.jsonl")])
        weights = torch.tensor(compute_class_weight("balanced", classes=numpy.array(LABELS), y=labels))
        surprise, targets = self.surprise(self.drawn(), self.model())
        expected = torch.nn.functional.nll_loss(-surprise, targets, weight=weights)
        self.assertAlmostEqual(self.lines()[1], expected.item(), places=7)

    def test_focal_loss_is_that_of_the_paper(self):
        self.succeed(self.uneven(train={"loss": "focal", "focal_gamma": 1.5}), ranks=3)
        surprise, targets = self.surprise(self.drawn(), self.model())
        of_target = surprise.gather(1, targets[:, None])[:, 0]
        expected = ((1 - (-of_target).exp()) ** 1.5 * of_target).mean()
        self.assertAlmostEqual(self.lines()[1], expected.item(), places=7)

    def test_l1_and_l2_are_terms_of_the_logged_loss_and_of_the_gradient_once_on_any_number_of_ranks(self):
        import torch

        for ranks in (1, 3):
            self.succeed(self.uneven(f"r{ranks}", train={"l1": 1e-3, "l2": 5e-3, "max_grad_norm": 0}), ranks=ranks)
        model = self.model()
        surprise, targets = self.surprise(self.drawn("r1"), model)
        loss = surprise.gather(1, targets[:, None]).mean() + sum(1e-3 * p.abs().sum() + 5e-3 * p.pow(2).sum() for p in model.parameters())
        loss.backward()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        for ranks in (1, 3):
            self.assertAlmostEqual(self.lines(f"r{ranks}")[1], loss.item(), places=7)
            self.assertAlmostEqual(self.lines(f"r{ranks}", "grad_norm")[1], norm.item(), places=6)

    def test_the_evaluation_loss_stays_plain(self):
        files = {"validation_file": str(self.shared / "validation.jsonl")}
        self.succeed(self.uneven("plain", data=files))
        self.succeed(self.uneven("all", data=files, train={"l1": 1e-3, "l2": 1e-3, "loss": "focal", "label_smoothing_factor": 0.1, "class_weights": "balanced"}))
        self.assertAlmostEqual(self.lines("plain", "eval_loss")[1], self.lines("all", "eval_loss")[1], places=6)

    def test_balanced_sampling_draws_each_class_equally_often_and_the_same_rows_on_any_number_of_ranks(self):
        for ranks in (1, 3):
            self.succeed(self.uneven(f"r{ranks}", steps=8, data={"train_sampling_strategy": "balanced"}), ranks=ranks)
        counts = collections.Counter(row["label"] for step in range(1, 8) for row in self.drawn("r1", step))
        self.assertLessEqual(max(counts.values()) - min(counts.values()), 1, counts)
        self.assertEqual(len(counts), 3)
        for step in range(1, 9):
            self.assertEqual(sorted(self.lines("r1", "sample_ids")[step]), sorted(self.lines("r3", "sample_ids")[step]))
            self.assertAlmostEqual(self.lines("r1")[step], self.lines("r3")[step], places=12)

    def test_weighted_sampling_draws_by_the_column_and_does_not_weigh_the_loss_again(self):
        self.succeed(self.uneven(steps=24, data={"train_sampling_strategy": "weighted", "weight_column": "importance"}), ranks=2)
        drawn = [row["importance"] for step in range(1, 25) for row in self.drawn("run", step)]
        counts = collections.Counter(drawn)
        self.assertEqual(counts[0], 0)
        for importance, share in ((0.5, 0.5 / 5.5), (1, 1 / 5.5), (4, 4 / 5.5)):
            self.assertAlmostEqual(counts[importance] / len(drawn), share, delta=0.03)
        surprise, targets = self.surprise(self.drawn(), self.model())
        self.assertAlmostEqual(self.lines()[1], surprise.gather(1, targets[:, None]).mean().item(), places=7)

    def test_weighted_sampling_without_weights_is_refused(self):
        done = self.run_program(self.uneven(data={"train_sampling_strategy": "weighted"}))
        self.assertEqual(done.code, 78)
        self.assertIn("data.weight_column", done.err)
        rows = read_rows(self.shared / "uneven.jsonl")
        write_rows(self.home / "nothing.jsonl", [{**row, "importance": 0} for row in rows])
        done = self.run_program(self.uneven(data={"train_file": str(self.home / "nothing.jsonl"), "train_sampling_strategy": "weighted", "weight_column": "importance"}), ranks=2)
        self.assertIn("every training row has weight 0", done.err)
        self.assertEqual(self.exit_status(), 79)

    def test_a_run_goes_on_in_the_same_draws(self):
        sampling = {"train_sampling_strategy": "balanced"}
        self.succeed(self.uneven("whole", steps=11, data=sampling))
        self.succeed(self.uneven("parts", steps=5, data=sampling), ranks=2)
        (self.run_dir("parts") / "summary.json").unlink()
        self.succeed(self.uneven("parts", steps=11, data=sampling), ranks=3)
        for step in range(6, 12):
            self.assertEqual(sorted(self.lines("whole", "sample_ids")[step]), sorted(self.lines("parts", "sample_ids")[step]))

    def test_dropout_comes_from_the_config(self):
        self.succeed(self.uneven("still"))
        self.succeed(self.uneven("dropped", config={"hidden_dropout_prob": 0.5, "attention_probs_dropout_prob": 0.0}))
        self.succeed(self.uneven("dropped2", config={"hidden_dropout_prob": 0.5, "attention_probs_dropout_prob": 0.0}), ranks=2)
        self.assertGreater(abs(self.lines("still")[1] - self.lines("dropped")[1]), 1e-3)
        self.assertAlmostEqual(self.lines("dropped")[1], self.lines("dropped2")[1], places=12)
        surprise, targets = self.surprise(self.drawn("still"), self.model())
        self.assertAlmostEqual(self.lines("still")[1], surprise.gather(1, targets[:, None]).mean().item(), places=7)
        self.assertEqual(json.loads((self.run_dir("dropped") / "model" / "config.json").read_text())["hidden_dropout_prob"], 0.5)


if __name__ == "__main__":
    unittest.main()
