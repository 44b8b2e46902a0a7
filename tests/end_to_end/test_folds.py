"""`data.fold`: cross-validation as runs and as a sweep, and the cards of the models that come of it."""
import csv
import json

from harness import LABELS, EndToEnd, make_rows, write_rows


class Folds(EndToEnd):
    def test_a_sweep_over_folds_trains_on_the_others_and_tells_mean_and_deviation(self):
        import numpy

        folds = ["1/3", "2/3", "3/3"]
        config = self.config(data={"validation_file": None, "test_file": None}, train={"num_train_epochs": 1})
        with open(config, "a") as more:
            more.write(f'[sweep]\nmethod = "grid"\n[sweep.parameters]\n"data.fold" = {json.dumps(folds)}\n')
        done = self.succeed("sweep", config, ranks=2)
        rows = list(csv.DictReader((self.run_dir() / "sweep.csv").read_text().splitlines()))
        summaries = {row["data.fold"].strip('"'): json.loads((self.run_dir() / row["trial"] / "summary.json").read_text()) for row in rows}
        self.assertEqual(sorted(summaries), folds)
        total = {counts["train"] + counts["validation"] for counts in (summary["data"] for summary in summaries.values())}
        self.assertEqual(total, {90})
        self.assertEqual(sum(summary["data"]["validation"] for summary in summaries.values()), 90)
        scores = [float(row["eval_accuracy"]) for row in rows]
        best = max(rows, key=lambda row: float(row["best_metric"]))
        self.assertEqual((self.run_dir() / "best").resolve(), (self.run_dir() / best["trial"] / "model").resolve())
        self.succeed("predict", self.run_dir() / "best", "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl")
        self.assertIn("mean ± standard deviation over folds", done.out)
        line = done.out.split("over folds\n")[1].split("\n")[1]
        self.assertEqual(line.split()[0], "3")
        names = done.out.split("over folds\n")[1].split("\n")[0].split()
        told = line.replace(" ± ", "±").split()[names.index("eval_accuracy")].split("±")
        self.assertAlmostEqual(float(told[0]), numpy.mean(scores), places=3)
        self.assertAlmostEqual(float(told[1]), numpy.std(scores, ddof=1), places=2)

    def test_what_contradicts_a_fold_is_refused(self):
        for sections, told in (({"data": {"fold": "1/3"}}, "beside data.fold"), ({"data": {"fold": "4/3", "validation_file": None}}, "the second of five folds")):
            done = self.run_program(self.config(**sections))
            self.assertEqual(done.code, 78, done.err)
            self.assertIn(told, done.err)


class Cards(EndToEnd):
    def test_the_card_of_a_model_says_what_the_run_has_come_to(self):
        from huggingface_hub import ModelCard

        (self.shared / "model/README.md").write_text("---\nlicense: apache-2.0\n---\n# base\n")
        self.succeed(self.config(train={"num_train_epochs": 2, "class_weights": "balanced"}, eval={"load_best_model_at_end": True}))
        card = ModelCard.load(self.run_dir() / "model/README.md")
        summary = self.summary()
        self.assertEqual((card.data.library_name, card.data.pipeline_tag, card.data.license), ("transformers", "text-classification", "apache-2.0"))
        self.assertIsNone(card.data.base_model, "a directory is no model of the hub")
        told = {(result.dataset_split, result.metric_type): result.metric_value for result in card.data.eval_results}
        self.assertAlmostEqual(told["validation", "accuracy"], summary["best_metric"], places=12)
        self.assertEqual(told["test", "f1"], summary["test_metrics"]["f1"])
        self.assertEqual(told["validation", "loss"], self.lines(key="eval_loss")[summary["exported_step"]])
        self.assertEqual(summary["data"]["train"], 90)
        self.assertEqual(sum(summary["data"]["labels"].values()), 90)
        for line in ("| train | 90 |", "| test | 37 |", f"| {LABELS[2]} | {summary['data']['labels'][LABELS[2]]} |", "optim.learning_rate = 0.005", 'train.class_weights = "balanced"'):
            self.assertIn(line, card.text)
        self.assertIn('data.train_file = ["train.jsonl"]', card.text)
        for folder in (self.home, self.shared):
            self.assertNotIn(str(folder), card.content, "no path of this machine")
        self.succeed("export", self.run_dir(), "--checkpoint", "last", "--output", self.home / "again")
        again = ModelCard.load(self.home / "again/README.md")
        self.assertIn(f"of step {summary['global_step']}", again.text)
        self.succeed(self.config(train={"num_train_epochs": 3, "class_weights": "balanced"}, eval={"load_best_model_at_end": True}))
        self.assertEqual([path.name for path in self.run_dir().glob("model.kept-*")], [], "the card is part of the export")

    def test_a_checkpoint_is_not_told_the_scores_of_what_was_settled_behind_it(self):
        from huggingface_hub import ModelCard

        scores = lambda card: {(result.dataset_split, result.metric_type): result.metric_value for result in card.data.eval_results}
        self.succeed(self.config("settled", train={"num_train_epochs": 2}, eval={"temperature_scaling": True}, hooks={"on_evaluation": ["true", "secret-token"]}))
        summary = self.summary("settled")
        final = ModelCard.load(self.run_dir("settled") / "model/README.md")
        self.assertEqual(scores(final)["validation", "loss"], summary["decisions"]["after"]["loss"])
        self.assertNotIn("secret-token", final.content)
        last = self.run_dir("settled") / f"checkpoint-{summary['global_step']}"
        self.succeed("export", self.run_dir("settled"), "--checkpoint", f"{last}/", "--output", self.home / "plain")
        card = ModelCard.load(self.home / "plain/README.md")
        self.assertIn(f"of step {summary['global_step']}", card.text)
        self.assertEqual(scores(card)["validation", "loss"], self.lines("settled", key="eval_loss")[summary["global_step"]])
        self.assertNotIn(("test", "loss"), scores(card), "the test rows were seen by the model that was left, not by this one")

    def test_a_run_that_has_not_ended_is_exported(self):
        self.assertNotEqual(self.run_program(self.config("killed"), environment={"SFT_FAILPOINTS": "trainer.step@20=kill"}).code, 0)
        self.succeed("export", self.run_dir("killed"), "--checkpoint", "last", "--output", self.home / "open")
        newest = max(self.run_dir("killed").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
        newest.rename(self.home / "elsewhere")
        self.succeed("export", self.run_dir("killed"), "--checkpoint", self.home / "elsewhere", "--output", self.home / "moved")
        self.assertTrue((self.home / "moved/model.safetensors").exists())

    def test_names_that_are_markup_stay_text(self):
        from huggingface_hub import ModelCard

        rows = [{**row, "label": row["label"].replace("alpha", 'a|b: "#-"')} for row in make_rows(40, 1)]
        write_rows(self.home / "rows.jsonl", rows)
        self.succeed(self.config("a: [b", data={"train_file": str(self.home / "rows.jsonl"), "validation_file": None, "test_file": None}, train={"max_steps": 1}))
        card = ModelCard.load(self.run_dir("a: [b") / "model/README.md")
        self.assertEqual(card.data.tags, ["sft-dist"])
