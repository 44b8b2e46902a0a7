"""Thresholds, temperature and calibration, against scikit-learn, SciPy and NumPy."""
import json

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows
from test_targets import relabelled

CLASSES = ["alpha", "beta", "long"]


def best_threshold(score, truth, probability):
    """By trying every place between two neighbours."""
    ordered = sorted(set(probability), reverse=True)
    places = [low + (high - low) / 2 for high, low in zip(ordered, ordered[1:] + [0.0])]
    values = [score(truth, [p > place for p in probability]) for place in places]
    return min((place for place, value in zip(places, values) if value == max(values)), key=lambda place: abs(place - 0.5)), max(values)


def binned(probability, came_true):
    """NumPy's bins, as Guo et al. count them: {bin: (samples, mean probability, came true)} and the expected error."""
    import numpy

    probability, came_true = numpy.array(probability), numpy.array(came_true, float)
    bins = numpy.searchsorted(numpy.linspace(0, 1, 16)[1:-1], probability)
    table = {int(k): ((bins == k).sum(), probability[bins == k].mean(), came_true[bins == k].mean()) for k in sorted(set(bins))}
    return table, sum(n * abs(p - t) for n, p, t in table.values()) / len(probability)


class Decisions(EndToEnd):
    def predicted(self, model, split, *more):
        out = self.home / "p.jsonl"
        self.succeed("predict", model, "--input", self.home / f"{split}.jsonl", "--output", out, *more)
        return read_rows(out)

    def assert_table(self, told, probability, came_true):
        table, error = binned(probability, came_true)
        self.assertAlmostEqual(told["expected_calibration_error"], error, places=9)
        self.assertEqual([(row["samples"], round(row["probability"], 9), round(row["came_true"], 9)) for row in told["bins"]],
                         [(n, round(p, 9), round(t, 9)) for n, p, t in table.values()])

    def temperature(self, logits, loss):
        from scipy import optimize
        return optimize.minimize_scalar(lambda beta: loss(logits * beta), bounds=(0.01, 100), method="bounded", options={"xatol": 1e-9}).x ** -1

    def test_sets_of_labels(self):
        import numpy
        import torch
        from sklearn import calibration, metrics

        for split, seed, count in (("train", 1, 90), ("validation", 2, 41), ("test", 3, 37)):
            write_rows(self.home / f"{split}.jsonl", relabelled(make_rows(count, seed), "sets"))
        sections = {"data": {f"{split}_file": str(self.home / f"{split}.jsonl") for split in ("train", "validation", "test")}, "train": {"num_train_epochs": 6},
                    "eval": {"tune_thresholds": "f1", "temperature_scaling": True}}
        self.succeed(self.config("one", **sections))
        self.succeed(self.config("three", **sections), ranks=3)
        settled = self.summary("one")["decisions"]
        config = json.loads((self.run_dir("one") / "model/config.json").read_text())
        self.assertEqual(config["sft_dist_thresholds"], settled["thresholds"])
        for name, threshold in self.summary("three")["decisions"]["thresholds"].items():
            self.assertAlmostEqual(threshold, settled["thresholds"][name], places=5)

        rows = read_rows(self.home / "validation.jsonl")
        truth = numpy.array([[name in row["label"] for name in CLASSES] for row in rows])
        logits = torch.tensor([row["logits"] for row in self.predicted(next(self.run_dir("one").glob("checkpoint-*")).parent / f"checkpoint-{self.summary('one')['global_step']}", "validation", "--logits")], dtype=torch.float64)
        wanted = self.temperature(logits, lambda scaled: torch.nn.functional.binary_cross_entropy_with_logits(scaled, torch.tensor(truth, dtype=torch.float64)).item())
        self.assertAlmostEqual(settled["temperature"] / wanted, 1, places=4)
        self.assertLess(settled["after"]["loss"], settled["before"]["loss"])

        ours = self.predicted(self.run_dir("one"), "validation")
        scores = numpy.array([[row["scores"][name] for name in CLASSES] for row in ours])
        numpy.testing.assert_allclose(scores, torch.sigmoid(logits / wanted), atol=1e-5)
        for k, name in enumerate(CLASSES):
            place, value = best_threshold(metrics.f1_score, truth[:, k], list(scores[:, k]))
            self.assertAlmostEqual(settled["thresholds"][name], place, places=5)
            self.assertEqual(metrics.f1_score(truth[:, k], scores[:, k] > settled["thresholds"][name]), value)
        guess = scores > numpy.array([settled["thresholds"][name] for name in CLASSES])
        self.assertEqual([row["labels"] for row in ours], [[name for name, given in zip(CLASSES, row) if given] for row in guess])
        self.assertAlmostEqual(settled["after"]["f1"], metrics.f1_score(truth, guess, average="macro"), places=12)
        self.assertGreaterEqual(settled["after"]["f1"], settled["before"]["f1"])
        self.assertNotIn(0.5, settled["thresholds"].values())

        self.assert_table(settled["after"]["calibration"], scores.flatten(), truth.flatten())
        came_true, probability = calibration.calibration_curve(truth.flatten(), scores.flatten(), n_bins=15)
        told = settled["after"]["calibration"]["bins"]
        numpy.testing.assert_allclose([[row["came_true"], row["probability"]] for row in told], numpy.array([came_true, probability]).T, atol=1e-9)

        test = json.loads(self.succeed("evaluate", self.run_dir("one"), "--file", self.home / "test.jsonl", "--checkpoint", "model", ranks=2).out)
        self.assertAlmostEqual(test["eval_f1"], self.summary("one")["test_metrics"]["f1"], places=12)
        self.succeed("export", self.run_dir("one"), "--checkpoint", "model", "--output", self.home / "again")
        self.assertEqual(json.loads((self.home / "again/config.json").read_text())["sft_dist_thresholds"], settled["thresholds"])
        page = (self.run_dir("one") / "report.html").read_text()
        self.assertIn('aria-label="Reliability"', page)
        self.assertIn("Thresholds, chosen on the validation rows", page)

    def test_probabilities_as_labels_are_what_the_temperature_fits(self):
        import torch

        for split, seed, count in (("train", 1, 120), ("validation", 2, 60)):
            rows = make_rows(count, seed)
            for row in rows:  # every answer of the model may be right, and is never sure
                row["label"] = {name: 0.6 if name == row["label"] else 0.2 for name in LABELS}
            write_rows(self.home / f"{split}.jsonl", rows)
        data = {f"{split}_file": str(self.home / f"{split}.jsonl") for split in ("train", "validation")}
        self.succeed(self.config(data={**data, "test_file": None}, train={"num_train_epochs": 6}, eval={"temperature_scaling": True}), ranks=2)
        settled = self.summary()["decisions"]
        logits = torch.tensor([row["logits"] for row in self.predicted(self.run_dir() / f"checkpoint-{self.summary()['global_step']}", "validation", "--logits")], dtype=torch.float64)
        truth = torch.tensor([[row["label"][name] for name in LABELS] for row in read_rows(self.home / "validation.jsonl")], dtype=torch.float64)
        wanted = self.temperature(logits, lambda scaled: torch.nn.functional.cross_entropy(scaled, truth).item())
        self.assertAlmostEqual(settled["temperature"] / wanted, 1, places=4)
        self.assertNotEqual(settled["temperature"], 1)
        self.assertLess(settled["after"]["loss"], settled["before"]["loss"])
        self.assertAlmostEqual(settled["after"]["loss"], torch.nn.functional.cross_entropy(logits / wanted, truth).item(), places=5)

    def test_two_and_three_classes(self):
        from sklearn import metrics

        for split, seed, count in (("train", 1, 90), ("validation", 2, 41), ("test", 3, 37)):
            write_rows(self.home / f"{split}.jsonl", [{**row, "label": ["no", "yes"][row["label"] == LABELS[0]]} for row in make_rows(count, seed)])
        data = {f"{split}_file": str(self.home / f"{split}.jsonl") for split in ("train", "validation", "test")}
        self.succeed(self.config(data=data, model={"ignore_mismatched_sizes": True}, train={"num_train_epochs": 2}, eval={"tune_thresholds": "balanced_accuracy"}), ranks=2)
        truth = [row["label"] == "yes" for row in read_rows(self.home / "validation.jsonl")]
        ours = self.predicted(self.run_dir(), "validation")
        place, value = best_threshold(metrics.balanced_accuracy_score, truth, [row["scores"]["yes"] for row in ours])
        settled = self.summary()["decisions"]
        self.assertAlmostEqual(settled["thresholds"]["yes"], place, places=5)
        self.assertEqual([row["label"] for row in ours], ["yes" if row["scores"]["yes"] > place else "no" for row in ours])
        self.assertAlmostEqual(metrics.balanced_accuracy_score(truth, [row["label"] == "yes" for row in ours]), value, places=12)
        self.assertEqual([row["score"] for row in ours], [row["scores"][row["label"]] for row in ours])
        details = self.summary()["test_metrics"]["details"]["calibration"]
        rows = read_rows(self.run_dir() / "predictions.jsonl")
        self.assert_table(details, [row["score"] for row in rows], [row["label"] == given["label"] for row, given in zip(rows, read_rows(self.home / "test.jsonl"))])

        done = self.run_program(self.config("three", eval={"tune_thresholds": "f1"}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("of more classes the likeliest is given", done.err)
        done = self.run_program(self.config("none", data={"validation_file": None}, eval={"temperature_scaling": True}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("needs validation data", done.err)
