"""Soft labels, a teacher's logits, label priors and L2 towards the start: what the program logs, against torch on the very rows that it drew.

Each such run makes one update in float64 without dropout, so that its loss is a number that transformers can be asked for."""
import json
import unittest

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows

STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def softened(rows, every=1):
    """Each row's label gets 0.5, 0.625 or 0.75 of the probability, the next one the rest; of others than each `every`-th row it stays a label."""
    out = []
    for i, row in enumerate(rows):
        share, k = 0.5 + i % 3 / 8, LABELS.index(row["label"])
        soft = {LABELS[k]: share + (0.0001 if i % 2 else 0.0), LABELS[(k + 1) % 3]: 1 - share}
        out.append({**row, "label": soft if i % every == 0 else row["label"]})
    return out


def shares_of(label):
    return [label.get(name, 0.0) if isinstance(label, dict) else float(label == name) for name in LABELS]


class Supervision(EndToEnd):
    def one_update(self, rows, name="run", data=None, **sections):
        write_rows(self.home / "train.jsonl", rows)
        sections = {**sections, "train": {"max_steps": 1, "global_batch_size": 16, **sections.get("train", {})}}
        return self.config(name, model={"dtype": "float64"}, data={"train_file": str(self.home / "train.jsonl"), "validation_file": None, "test_file": None, **(data or {})},
                           log={"sample_ids": True}, save={"save_strategy": "no"}, optim={"learning_rate": 1e-9}, **{"model.config": STILL}, **sections)

    def drawn(self, name="run"):
        rows = read_rows(self.home / "train.jsonl")
        return [rows[i] for i in self.lines(name, "sample_ids")[1]]

    def logits(self, rows, directory=None):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        directory = directory or self.shared / "model"
        model = AutoModelForSequenceClassification.from_pretrained(directory, dtype=torch.float64).eval()
        encoded = AutoTokenizer.from_pretrained(directory)([row["text"] for row in rows], padding=True, truncation=True, max_length=32, return_tensors="pt")
        with torch.no_grad():
            return model(**encoded).logits

    def test_soft_labels_beside_plain_ones_are_learned_and_evaluated_as_torch_has_it(self):
        import torch

        write_rows(self.home / "validation.jsonl", softened(make_rows(41, 2), 2))
        config = self.one_update(softened(make_rows(60, 1), 2), data={"validation_file": str(self.home / "validation.jsonl")}, train={"label_smoothing_factor": 0.1})
        done = self.succeed(config, ranks=3)
        self.assertIn("probability for each label", done.err)
        rows = self.drawn()
        shares = torch.tensor([shares_of(row["label"]) for row in rows], dtype=torch.float64)
        self.assertAlmostEqual(self.lines()[1], torch.nn.functional.cross_entropy(self.logits(rows), shares, label_smoothing=0.1).item(), places=6)
        rows = read_rows(self.home / "validation.jsonl")
        shares = torch.tensor([shares_of(row["label"]) for row in rows], dtype=torch.float32).double()
        likely = torch.log_softmax(self.logits(rows), 1)
        wanted = {"eval_loss": -(shares * likely).sum(1).mean().item(), "eval_kl": (torch.xlogy(shares, shares) - shares * likely).sum(1).mean().item(),
                  "eval_accuracy": (likely.argmax(1) == shares.argmax(1)).double().mean().item()}
        told = json.loads(self.succeed("evaluate", self.run_dir(), "--split", "validation", ranks=2).out)
        for name, value in wanted.items():
            self.assertAlmostEqual(self.lines(key=name)[1], value, places=6)
            self.assertAlmostEqual(told[name], value, places=6)

    def test_a_teacher_has_its_share_of_the_loss(self):
        import torch

        rows = [{**row, "said": [float(i % 5), -0.5 * (i % 3), 0.25]} for i, row in enumerate(make_rows(60, 1))]
        self.succeed(self.one_update(rows, data={"teacher_column": "said"}, train={"distill_weight": 0.3, "distill_temperature": 2.5}), ranks=2)
        rows = self.drawn()
        logits, teacher = self.logits(rows), torch.tensor([row["said"] for row in rows], dtype=torch.float64)
        plain = torch.nn.functional.cross_entropy(logits, torch.tensor([LABELS.index(row["label"]) for row in rows]))
        apart = torch.nn.functional.kl_div(torch.log_softmax(logits / 2.5, 1), torch.softmax(teacher / 2.5, 1), reduction="batchmean") * 2.5**2
        self.assertAlmostEqual(self.lines()[1], (0.7 * plain + 0.3 * apart).item(), places=7)

    def test_label_priors_are_those_of_the_training_rows_or_as_named(self):
        import torch

        rows = [row for i, row in enumerate(make_rows(90, 1)) if row["label"] != "beta" or i % 4 == 0]
        self.succeed(self.one_update(rows, train={"logit_adjustment": 1.5}), ranks=2)
        counts = torch.tensor([sum(row["label"] == name for row in rows) for name in LABELS], dtype=torch.float64)
        targets = lambda name: torch.tensor([LABELS.index(row["label"]) for row in self.drawn(name)])
        adjusted = self.logits(self.drawn()) + 1.5 * torch.log(counts / counts.sum())
        self.assertAlmostEqual(self.lines()[1], torch.nn.functional.cross_entropy(adjusted, targets("run")).item(), places=7)
        priors = {LABELS[0]: 0.7, LABELS[1]: 0.2, LABELS[2]: 0.1}
        left = {"train": {"logit_adjustment": 1, "logit_adjustment_at": "export"}, "train.label_priors": {json.dumps(name): prior for name, prior in priors.items()}}
        write_rows(self.home / "test.jsonl", make_rows(20, 3))
        self.succeed(self.one_update(rows, "left", data={"test_file": str(self.home / "test.jsonl")}, **left))
        self.assertAlmostEqual(self.lines("left")[1], torch.nn.functional.cross_entropy(self.logits(self.drawn("left")), targets("left")).item(), places=7)
        test = read_rows(self.home / "test.jsonl")
        expected = self.logits(test) - torch.log(torch.tensor(list(priors.values()), dtype=torch.float64))
        self.assertLess((self.logits(test, self.run_dir("left") / "model") - expected).abs().max().item(), 1e-5)
        told = "without the label priors of train.logit_adjustment_at = \"export\", which the run's model/ alone has"
        self.assertIn(told, self.succeed("export", self.run_dir("left"), "--checkpoint", "last", "--output", self.home / "plain").err)
        self.assertLess((self.logits(test, self.home / "plain") - self.logits(test)).abs().max().item(), 1e-5)
        self.assertNotIn(told, self.succeed("predict", self.run_dir("left"), "--input", self.home / "test.jsonl", "--output", self.home / "out.jsonl").err)
        scores = [[row["scores"][name] for name in LABELS] for row in read_rows(self.run_dir("left") / "predictions.jsonl")]
        self.assertLess((torch.tensor(scores, dtype=torch.float64) - torch.softmax(expected, 1)).abs().max().item(), 1e-6)

    def test_l2_from_the_start_draws_to_the_pretrained_weights_also_after_a_resume(self):
        sections = {"train": {"max_steps": 12, "l2_from_start": 0.5}, "save": {"save_strategy": "steps", "save_steps": 5}}
        self.succeed(self.config("straight", **sections), ranks=2)
        killed = self.config("killed", **sections)
        self.assertNotEqual(self.run_program(killed, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@8=kill"}).code, 0)
        self.succeed(killed, ranks=2)
        self.assertEqual(self.weights("killed"), self.weights("straight"))
        self.assertEqual(self.lines("killed"), self.lines("straight"))
        self.succeed(self.config("free", train={"max_steps": 12}), ranks=2)
        self.assertLess(self.distance("straight"), 0.7 * self.distance("free"))

    def distance(self, name):
        from safetensors.torch import load_file

        start, end = load_file(self.shared / "model" / "model.safetensors"), load_file(self.run_dir(name) / "model" / "model.safetensors")
        return sum((end[key].double() - start[key].double()).pow(2).sum().item() for key in start if key in end) ** 0.5

    def refuse(self, code, *wanted, config):
        done = self.run_program(config)
        errors = [line for line in done.err.splitlines() if "error:" in line]
        self.assertEqual((done.code, len(errors)), (code, 1), done.err)
        for word in wanted:
            self.assertIn(word, errors[0])
        return done

    def test_bad_rows_and_settings_are_told_with_their_cure(self):
        rows = make_rows(30, 1)
        rows[3]["label"] = {LABELS[0]: 0.5, LABELS[1]: 0.25}
        done = self.refuse(79, "train.jsonl:4", "sum to 0.75", config=self.one_update(rows))
        self.assertIn("data.normalize_label_probabilities", done.err)
        self.succeed(self.one_update(rows, "whole", data={"normalize_label_probabilities": True}))
        rows[3]["label"] = {LABELS[0]: 1.5, LABELS[1]: -0.5}
        self.refuse(79, "train.jsonl:4", "probability -0.5", config=self.one_update(rows))
        taught = [{**row, "said": [0.0, 1.0, 2.0]} for row in make_rows(30, 1)]
        taught[7]["said"] = [0.0, 1.0]
        train = {"distill_weight": 0.5}
        self.refuse(79, "train.jsonl:8", "has 2 numbers, and 3 are wanted", config=self.one_update(taught, data={"teacher_column": "said"}, train=train))
        self.refuse(79, "teacher_logits", "data.teacher_column", config=self.one_update(make_rows(30, 1), train=train))
        self.refuse(78, "names no share of the label", config=self.one_update(make_rows(30, 1), train={"logit_adjustment": 1}, **{"train.label_priors": {LABELS[0]: 0.5}}))


if __name__ == "__main__":
    unittest.main()
