"""What is undefined is never a result: no best model by a metric that is no number, no finished run that learned nothing, no scale of weights that matters."""
import json
import math
import unittest

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows


class Undefined(EndToEnd):
    def two_classes(self, name, labels):
        rows = make_rows(60, 4)
        write_rows(self.home / name, [{"text": row["text"], "label": labels[i % len(labels)]} for i, row in enumerate(rows)])
        return str(self.home / name)

    def test_a_best_metric_that_is_no_number_warns_and_stops_nothing(self):
        data = {"train_file": self.two_classes("train.jsonl", ["no", "yes"]), "validation_file": self.two_classes("validation.jsonl", ["no"]), "test_file": None}
        config = self.config(data=data, model={"ignore_mismatched_sizes": True}, train={"num_train_epochs": 5}, eval={"load_best_model_at_end": True, "metric_for_best_model": "roc_auc", "early_stopping_patience": 2})
        done = self.succeed(config, ranks=2)
        self.assertEqual(done.err.count("eval_roc_auc is not a finite number"), 1)
        self.assertIn("the last model is left, not the best", done.err)
        summary = self.summary()
        self.assertEqual((summary["exit_reason"], summary["global_step"], summary["best_model_checkpoint"]), ("finished", 40, ""))

    def two_class_data(self):
        return {"train_file": self.two_classes("train.jsonl", ["no", "yes"]), "validation_file": self.two_classes("validation.jsonl", ["yes", "no"]), "test_file": None}

    def test_outputs_that_are_not_finite_are_no_predictions_and_no_scores(self):
        from safetensors.torch import load_file, save_file

        self.succeed(self.config(data=self.two_class_data(), model={"ignore_mismatched_sizes": True}, train={"max_steps": 2}))
        path = self.run_dir() / "model" / "model.safetensors"
        tensors = load_file(path)
        tensors["bert.pooler.dense.weight"] *= 0
        tensors["bert.pooler.dense.bias"][:] = 10  # 32 outputs of 1, whose sum with finite weights is not finite
        tensors["classifier.weight"][:] = 3e38
        save_file(tensors, path, metadata={"format": "pt"})
        for command in (("evaluate", self.run_dir(), "--checkpoint", self.run_dir() / "model"), ("predict", self.run_dir(), "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl")):
            with self.subTest(command=command[0]):
                done = self.run_program(*command)
                self.assertEqual(done.code, 80, done.err)
                self.assertIn("the outputs of the model are not finite", done.err)
        self.assertFalse((self.home / "p.jsonl").exists())

    def test_a_training_that_diverged_leaves_no_model(self):
        config = self.config(data=self.two_class_data(), model={"ignore_mismatched_sizes": True}, train={"max_steps": 1}, optim={"learning_rate": 1e15})
        for start in range(2):
            done = self.run_program(config, ranks=2)
            self.assertEqual(self.exit_status(), 80, done.err)
            self.assertIn("the training diverged: at its last evaluation, at step 1", done.err)
            self.assertFalse((self.run_dir() / "model").exists())
        self.assertEqual({key: value for row in read_rows(self.run_dir() / "metrics.jsonl") for key, value in row.items() if key in ("eval_accuracy", "eval_roc_auc")}, {"eval_accuracy": "NaN", "eval_roc_auc": "NaN"})

    # The first update has the rate 0 of its warm-up, so the evaluation behind it is sound.
    def test_a_diverged_end_is_left_out_only_for_a_better_model(self):
        def sections(best):
            return dict(data=self.two_class_data(), model={"ignore_mismatched_sizes": True}, train={"max_steps": 2}, optim={"learning_rate": 1e15}, scheduler={"warmup_steps": 1},
                        eval={"eval_strategy": "steps", "eval_steps": 1, "load_best_model_at_end": best}, save={"save_strategy": "best"})
        done = self.run_program(self.config("last", **sections(False)))
        self.assertEqual(done.code, 80, done.err)
        self.assertIn("the training diverged: at its last evaluation, at step 2", done.err)
        self.assertFalse((self.run_dir("last") / "model").exists())
        self.succeed(self.config("best", **sections(True)))
        self.succeed("evaluate", self.run_dir("best"), "--checkpoint", self.run_dir("best") / "model")

    def weighted(self, weight):
        path = self.home / f"{weight}.csv"
        path.write_text("text,label,w\n" + "".join(f'{row["text"]},{row["label"]},{weight}\n' for row in make_rows(30, 6)))
        return {"train_file": str(path), "validation_file": None, "test_file": None, "weight_column": "w"}

    def test_a_warm_up_longer_than_the_run_is_told(self):
        done = self.succeed(self.config(train={"max_steps": 2, "num_train_epochs": None}, scheduler={"warmup_steps": 50}))
        self.assertIn("scheduler.warmup_steps is 50, and the run has 2 updates: the rate never comes to optim.learning_rate", done.err)

    def test_a_run_whose_updates_were_all_skipped_is_not_finished(self):
        config = self.config(data=self.weighted(0), train={"num_train_epochs": 1})
        for start in range(2):
            done = self.run_program(config, ranks=2)
            self.assertEqual(self.exit_status(), 80, done.err)
            self.assertIn("nothing was learned: all 4 updates were skipped", done.err)
            self.assertIn("its rows have no weight", done.err)
            self.assertFalse((self.run_dir() / "model").exists())
            self.assertEqual(list(self.run_dir().glob("checkpoint-*")), [])
        many = self.run_program(self.config("many", data=self.weighted(0)))
        self.assertEqual(many.code, 80, many.err)
        self.assertNotIn("not finite", many.err)

    def test_equal_weights_of_any_size_train_as_no_weights_do(self):
        self.succeed(self.config("plain", data={**self.weighted(1), "weight_column": ""}))
        for weight in ("1", "1e38", "3.4e38", "1e-34", "1e-37"):
            name = "w" + weight
            self.succeed(self.config(name, data=self.weighted(weight)), ranks=2)
            for key in ("loss", "grad_norm"):
                for step, expected in self.lines("plain", key).items():
                    self.assertTrue(math.isclose(self.lines(name, key)[step], expected, rel_tol=1e-3), (weight, key, step))

    def test_weights_far_from_one_keep_their_ratio(self):
        def of(scale):
            path = self.home / f"ratio{scale}.csv"
            path.write_text("text,label,w\n" + "".join(f'{row["text"]},{row["label"]},{(1 + i % 3) * scale}\n' for i, row in enumerate(make_rows(30, 6))))
            return {"train_file": str(path), "validation_file": None, "test_file": None, "weight_column": "w"}

        for scale in (1, 2.0**-100, 2.0**100):
            self.succeed(self.config(f"r{scale}", data=of(scale)))
            self.assertEqual(self.weights(f"r{scale}"), self.weights("r1"))
            self.assertEqual(self.lines(f"r{scale}"), self.lines("r1"))


if __name__ == "__main__":
    unittest.main()
