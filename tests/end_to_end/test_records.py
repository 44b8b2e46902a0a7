"""Records never lie: what is finished is compared before it is taken, and config.toml says what trained."""
import csv
import json
import shutil
import unittest

from harness import EndToEnd, make_model, make_rows, read_rows, write_rows


class FinishedRuns(EndToEnd):
    """One finished run; each test begins from a copy of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_rows(cls.shared / "others.jsonl", make_rows(90, 5))
        (cls.shared / "first").mkdir()

    def finished(self, name="run"):
        if not (self.shared / "run" / "summary.json").exists():
            home, self.home = self.home, self.shared
            self.succeed(self.config("run", data={"test_file": None}))
            self.home = home
        shutil.copytree(self.shared / "run", self.run_dir(name))
        return self.config(name, data={"test_file": None})

    def test_other_settings_are_refused_by_key_with_both_values_and_the_record_stays(self):
        config = self.finished()
        before = {name: (self.run_dir() / name).read_bytes() for name in ("config.toml", "summary.json", "metrics.jsonl", "model/model.safetensors")}
        for change, told in (("optim.learning_rate=0.5", "optim.learning_rate was 0.005 and is 0.5"), ("data.max_length=16", "data.max_length was 32 and is 16"), ("seed=9", "seed was 42 and is 9"),
                             (f"data.train_file={self.shared / 'others.jsonl'}", "training_data was"), ("train.global_batch_size=16", "train.global_batch_size was 8 and is 16"),
                             ("train.global_batch_size=4", "train.global_batch_size was 8 and is 4"), ("train.num_train_epochs=1", "has made 36 updates")):
            with self.subTest(change=change):
                done = self.run_program(config, change)
                self.assertEqual(done.code, 78, done.err)
                self.assertIn(told, done.err)
                self.assertEqual({name: (self.run_dir() / name).read_bytes() for name in before}, before)

    def test_labels_by_other_names_are_refused(self):
        config = self.finished()
        write_rows(self.home / "renamed.jsonl", [{**row, "label": row["label"].upper()} for row in read_rows(self.shared / "train.jsonl")])
        done = self.run_program(config, f"data.train_file={self.home / 'renamed.jsonl'}", "data.validation_file=")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn('labels.0 was "alpha" and is "ALPHA"', done.err)

    def test_another_model_under_the_same_path_is_refused(self):
        model = shutil.copytree(self.shared / "model", self.home / "model")
        config = self.config(model={"model_name_or_path": str(model)}, data={"test_file": None}, train={"num_train_epochs": 1}, save={"save_strategy": "steps", "save_steps": 3})
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@5=kill"})
        make_model(model, initializer_range=0.2)
        for _ in ("unfinished", "finished"):
            done = self.run_program(config)
            self.assertEqual(done.code, 78, done.err)
            self.assertIn("model_files.weights was", done.err)
            shutil.copytree(self.shared / "model", model, dirs_exist_ok=True)
            self.succeed(config)
            settings = json.loads((model / "config.json").read_text())
            (model / "config.json").write_text(json.dumps({**settings, "hidden_act": "relu"}))
            done = self.run_program(config)
            self.assertEqual(done.code, 78, done.err)
            self.assertIn("model_files.config was", done.err)
            make_model(model, initializer_range=0.2)

    def test_settings_that_come_too_late_are_told_to_have_no_effect(self):
        config = self.finished()
        done = self.succeed(config, "eval.metric_for_best_model=loss")
        self.assertIn("eval.metric_for_best_model was", done.err)
        self.assertIn("has no effect any more", done.err)

    def test_other_validation_rows_are_told_to_have_no_effect(self):
        config = self.finished()
        self.assertNotIn("validation rows", self.succeed(config).err)
        done = self.succeed(config, f"data.validation_file={self.shared / 'others.jsonl'}")
        self.assertIn("the validation rows are not those of this run", done.err)

    def test_a_best_model_is_not_compared_over_metrics_or_rows(self):
        config = self.finished()
        for changes, told in (((), False), (("eval.metric_for_best_model=loss",), True), ((f"data.validation_file={self.shared / 'test.jsonl'}",), True)):
            with self.subTest(changes=changes):
                shutil.rmtree(self.run_dir())
                self.finished()
                done = self.succeed(config, "train.num_train_epochs=4", *changes)
                self.assertEqual("is looked for anew" in done.err, told, done.err)
                best = json.loads((self.run_dir() / "checkpoint-48" / "trainer_state.json").read_text())
                metric = "loss" if "loss" in str(changes) else "accuracy"
                if told:
                    self.assertEqual(best["best_metric"], best["last_evaluation"][metric])

    def test_a_best_model_is_not_compared_over_thresholds(self):
        rows = [{"text": row["text"], "label": sorted({row["label"], "alpha"})} for row in make_rows(60, 6)]
        write_rows(self.home / "sets.jsonl", rows)
        sets = {"data": {"train_file": str(self.home / "sets.jsonl"), "validation_file": str(self.home / "sets.jsonl"), "test_file": None},
                "eval": {"load_best_model_at_end": True, "metric_for_best_model": "f1"}}
        for name, changes, told in (("same", (), False), ("other", ("eval.threshold=0.8",), True)):
            with self.subTest(name):
                config = self.config(name, **sets)
                self.succeed(config, "train.num_train_epochs=1")
                [state] = self.run_dir(name).glob("checkpoint-*/trainer_state.json")
                self.assertTrue(json.loads(state.read_text())["best_metric_measured_by"].endswith(" 60 rows"))
                self.assertEqual("is looked for anew" in self.succeed(config, "train.num_train_epochs=2", *changes).err, told)

    def test_a_best_model_that_was_saved_is_the_best_however_late_it_is_asked_for(self):
        """The loss falls, and the greater is taken as the better: the first evaluation is the best."""
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                name = f"run{ranks}"
                config = self.config(name, data={"test_file": None}, save={"save_strategy": "epoch"}, eval={"metric_for_best_model": "loss", "greater_is_better": True})
                self.succeed(config, ranks=ranks)
                losses = self.lines(name, "eval_loss")
                best = max(losses, key=losses.get)
                self.assertEqual((best, self.summary(name)["best_model_checkpoint"]), (12, ""))
                self.succeed(config, "train.num_train_epochs=5", "eval.load_best_model_at_end=true", ranks=ranks)
                self.assertEqual((self.summary(name)["exported_step"], self.summary(name)["best_model_checkpoint"]), (12, "checkpoint-12"))
                self.assertEqual(self.weights(name), (self.run_dir(name) / "checkpoint-12" / "model.safetensors").read_bytes())

    def test_a_best_model_of_another_directory_is_forgotten(self):
        best = {"metric_for_best_model": "loss", "greater_is_better": True}
        self.succeed(self.config("first", data={"test_file": None}, eval={**best, "load_best_model_at_end": True}))
        for ranks in (1, 2):
            name = f"next{ranks}"
            config = self.config(name, top={"resume_from_checkpoint": str(self.run_dir("first") / "checkpoint-36")}, data={"test_file": None},
                                 train={"num_train_epochs": 5}, eval={**best, "load_best_model_at_end": True})
            done = self.succeed(config, ranks=ranks)
            self.assertIn("does not stand in output_dir", done.err)
            self.assertIn(self.summary(name)["best_model_checkpoint"], ("checkpoint-48", "checkpoint-60"))
            self.assertTrue((self.run_dir(name) / self.summary(name)["best_model_checkpoint"]).is_dir())

    def test_a_run_that_is_trained_further_has_not_ended(self):
        config = self.finished()
        before = self.summary()
        self.assertNotEqual(self.run_program(config, "train.num_train_epochs=20", environment={"SFT_FAILPOINTS": "trainer.step=kill"}).code, 0)
        self.assertEqual(self.summary(), {"exit_reason": "going_on", "global_step": 36, "total_steps": 36, "before": before})
        self.assertIn("has not ended", self.succeed("inspect", self.run_dir()).out)
        self.assertIn("the run has not ended", self.succeed("clean", self.run_dir(), "--yes").out)
        self.assertTrue((self.run_dir() / "checkpoint-36").is_dir())
        self.succeed("report", self.run_dir())
        self.assertIn("has not ended", (self.run_dir() / "report.html").read_text())
        self.succeed(config, "train.num_train_epochs=4")
        self.assertEqual(self.summary()["exit_reason"], "finished")
        self.assertNotIn("before", self.summary())

    def test_a_run_that_is_trained_further_still_has_its_earlier_end(self):
        config = self.finished()
        further = ("train.num_train_epochs=20", "save.save_strategy=steps", "save.save_steps=2")
        self.assertNotEqual(self.run_program(config, *further, environment={"SFT_FAILPOINTS": "trainer.step@4=kill"}).code, 0)
        told = self.succeed("predict", self.run_dir(), "--input", self.shared / "test.jsonl", "--output", self.home / "told.jsonl").err
        self.assertIn("is older than", told)
        self.assertIn("checkpoint-38", told)
        for path in self.run_dir().glob("checkpoint-*"):
            shutil.rmtree(path)
        model = self.weights()
        done = self.run_program(config, *further)
        self.assertEqual(done.code, 78)
        self.assertIn("whose checkpoints are gone", done.err)
        self.assertEqual(self.weights(), model)
        self.assertIn("moved aside", self.succeed(config, "overwrite_output_dir=true", "train.max_steps=2").err)

    def test_a_stop_of_a_run_that_is_trained_further_keeps_its_earlier_end(self):
        self.finished()
        before = self.summary()
        further = self.config(data={"test_file": None}, train={"num_train_epochs": 100})
        for step in (40, 44):
            self.assertEqual(self.signal_at_step(further, step).code, 75)
            self.assertEqual((self.summary()["exit_reason"], self.summary()["before"]), ("signal", before))
        told = self.succeed("predict", self.run_dir(), "--input", self.shared / "test.jsonl", "--output", self.home / "told.jsonl").err
        self.assertIn("is older than", told)

    def test_the_best_model_stays_where_only_other_test_rows_are_asked_for(self):
        best = {"metric_for_best_model": "loss", "greater_is_better": True, "load_best_model_at_end": True}
        self.succeed(self.config(data={"test_file": None}, eval=best))
        weights = self.weights()
        self.succeed(self.config(eval={**best, "greater_is_better": False}))
        self.assertEqual((self.summary()["exported_step"], self.weights()), (12, weights))
        self.assertIsNotNone(self.summary()["test_metrics"])

    def test_a_run_whose_tokenizer_cuts_on_the_left_goes_on_under_overwrite(self):
        model = self.home / "left"
        shutil.copytree(self.shared / "model", model)
        path = model / "tokenizer_config.json"
        path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), "truncation_side": "left"}))
        config = self.config(top={"overwrite_output_dir": True}, model={"model_name_or_path": str(model)}, save={"save_strategy": "steps", "save_steps": 5})
        self.assertNotEqual(self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"}).code, 0)
        self.assertIn('truncation = "left"', (self.run_dir() / "config.toml").read_text())
        done = self.succeed(config).err
        self.assertIn("checkpoint-5 at step 5", done)
        self.assertNotIn("moved aside", done)

    def test_files_of_an_earlier_end_are_not_shown_as_those_of_a_later_one(self):
        config = self.config(train={"record_margins": True})
        self.succeed(config)
        self.assertTrue(self.summary()["margins"])
        self.succeed(self.config(data={"test_file": None}), "train.num_train_epochs=4")
        self.assertEqual((self.summary()["test_metrics"], self.summary()["margins"]), (None, False))
        self.assertTrue((self.run_dir() / "predictions.jsonl").exists())
        self.assertNotIn("predictions", self.succeed("inspect", self.run_dir()).out)

    def test_a_card_stands_beside_the_weights_that_it_tells_of(self):
        lora = {"r": 2, "target_modules": ["query"]}
        config = self.config(data={"test_file": None}, lora=lora)
        self.succeed(config)
        card = (self.run_dir() / "model" / "README.md").read_bytes()
        done = self.succeed(config, "lora.export=adapter", "train.num_train_epochs=4")
        self.assertIn("is of an earlier end of this run", done.err)
        self.assertEqual((self.run_dir() / "model" / "README.md").read_bytes(), card)
        self.assertIn("step 48", (self.run_dir() / "adapter" / "README.md").read_text())
        self.assertIn("run/adapter", done.err.split("model: ")[-1])

    def test_labels_are_counted_of_the_rows_that_are_trained(self):
        for ranks in (1, 2):
            self.succeed(self.config(f"few{ranks}", data={"validation_file": None, "test_file": None, "validation_split": 0.25, "max_train_samples": 12}, train={"max_steps": 2}), ranks=ranks)
            told = self.summary(f"few{ranks}")["data"]
            self.assertEqual((told["train"], sum(told["labels"].values())), (12, 12))

    def test_the_same_command_is_finished_already_also_without_its_checkpoints(self):
        config = self.finished()
        weights = self.weights()
        for path in self.run_dir().glob("checkpoint-*"):
            shutil.rmtree(path)
        done = self.succeed(config)
        self.assertIn("finished already", done.err)
        self.assertEqual(self.weights(), weights)
        done = self.run_program(config, "optim.learning_rate=0.5")
        self.assertEqual(done.code, 78, done.err)
        done = self.run_program(config, "train.num_train_epochs=4")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("checkpoints are gone", done.err)

    def test_keys_of_rows_say_nothing_of_samples_that_were_prepared(self):
        prepared = self.home / "prepared"
        self.succeed("prepare", self.config(data={"prepared_dir": str(prepared), "validation_file": None, "test_file": None}))
        shards = sorted(str(path) for path in prepared.rglob("*.h5"))
        samples = {"train_file": shards, "validation_file": None, "test_file": None}
        shorter = self.run_program(self.config("shorter", data={**samples, "max_length": 5}))
        self.assertEqual(shorter.code, 78, shorter.err)
        self.assertRegex(shorter.err, r"data\.max_length is 5, and samples of data\.train_file, which are not cut any more, have up to \d+ tokens; set it to \d+")
        weighted = self.run_program(self.config("weighted", data={**samples, "weight_column": "w"}))
        self.assertEqual(weighted.code, 78, weighted.err)
        self.assertIn("data.weight_column is 'w', and the samples of data.train_file have no weights", weighted.err)
        said = self.succeed(self.config("named", data={**samples, "text_column": "body"}, train={"max_steps": 1})).err
        self.assertIn("data.text_column has no effect on training: data.train_file holds samples", said)
        self.assertNotIn("max_length", said)

    def test_more_epochs_go_on(self):
        config = self.finished()
        self.assertIn("step 36 of 48", self.succeed(config, "train.num_train_epochs=4").err)
        self.assertEqual(self.summary()["global_step"], 48)
        self.assertIn("num_train_epochs = 4.0", (self.run_dir() / "config.toml").read_text())

    def test_a_test_file_that_was_added_is_evaluated_and_another_one_after_it(self):
        config = self.finished()
        weights = self.weights()
        self.succeed(config, f"data.test_file={self.shared / 'test.jsonl'}")
        self.assertEqual(self.summary()["test_metrics"]["samples"], 37)
        self.assertEqual(len(read_rows(self.run_dir() / "predictions.jsonl")), 37)
        self.assertEqual(self.weights(), weights)
        again = self.succeed(config, f"data.test_file={self.shared / 'test.jsonl'}")
        self.assertIn("finished already", again.err)
        self.succeed(config, f"data.test_file={self.shared / 'validation.jsonl'}")
        self.assertEqual(self.summary()["test_metrics"]["samples"], 41)
        self.assertEqual(self.summary()["test_metrics"]["accuracy"], self.summary()["metrics"]["accuracy"])

    def test_more_patience_goes_on_after_an_early_stop(self):
        settings = {"train": {"num_train_epochs": 8}, "optim": {"learning_rate": 1e-9}}
        early = lambda patience: self.config(eval={"early_stopping_patience": patience}, **settings)
        self.succeed(early(1))
        stopped = self.summary()
        self.assertEqual((stopped["exit_reason"], stopped["global_step"]), ("early_stopping", 24))
        self.assertIn("finished already", self.succeed(early(1)).err)
        self.succeed(early(3))
        self.assertEqual((self.summary()["exit_reason"], self.summary()["global_step"]), ("early_stopping", 48))

    def test_an_unfinished_run_keeps_its_config_when_other_settings_are_refused(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5})
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"})
        kept = (self.run_dir() / "config.toml").read_bytes()
        self.assertEqual(self.run_program(config, "optim.learning_rate=0.5").code, 78)
        self.assertEqual((self.run_dir() / "config.toml").read_bytes(), kept)
        self.assertEqual(self.run_program(config, "train.max_steps=3").code, 78)

    def test_overwriting_goes_on_with_the_runs_own_beginning_and_moves_aside_what_is_finished_or_other(self):
        config = self.config(top={"overwrite_output_dir": True}, save={"save_strategy": "steps", "save_steps": 5})
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"})
        self.assertIn("step 5 of 36", self.succeed(config).err)
        self.assertEqual(list(self.home.glob("run.old-*")), [])
        self.succeed(config)
        self.assertEqual(len(list(self.home.glob("run.old-*"))), 1)
        self.succeed(config, "optim.learning_rate=1e-3")
        self.assertEqual(self.lines(key="learning_rate")[1], 1e-3)

class Sweeps(EndToEnd):
    def sweep(self, rates, *overrides, epochs=1):
        config = self.config("sweep", data={"test_file": None}, train={"num_train_epochs": epochs})
        with open(config, "a") as out:
            out.write(f'[sweep.parameters]\n"optim.learning_rate" = {rates}\n')
        done = self.run_program("sweep", config, *overrides)
        with open(self.run_dir("sweep") / "sweep.csv") as table:
            return done, {float(row["optim.learning_rate"]): row for row in csv.DictReader(table)}

    def test_an_edited_grid_takes_over_what_it_shares_and_trains_the_rest(self):
        done, first = self.sweep([1e-4, 2e-2])
        self.assertEqual(done.code, 0, done.err)
        self.assertNotIn("has no effect", done.err)
        done, second = self.sweep([2e-2, 0.5])
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(done.err.count("finished already"), 1)
        self.assertEqual(list(second), [2e-2, 0.5])
        self.assertEqual(second[2e-2], first[2e-2])
        for rate in (2e-2, 0.5):
            name = second[rate]["trial"]
            self.assertAlmostEqual(float(second[rate]["eval_loss"]), self.summary(f"sweep/{name}")["metrics"]["loss"], places=4)
            self.assertEqual(max(self.lines(f"sweep/{name}", "learning_rate").values()), rate)

    def test_a_trial_of_other_settings_gives_the_table_no_number(self):
        self.sweep([1e-3])
        done, table = self.sweep([1e-3], "data.max_length=16")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("data.max_length was 32 and is 16", done.err)
        self.assertEqual({key: value for key, value in table[1e-3].items() if value}, {"trial": "optim.learning_rate=0.001", "optim.learning_rate": "0.001", "exit_reason": "exit code 78"})


class Labels(EndToEnd):
    def test_a_number_of_labels_that_contradicts_the_data_is_refused(self):
        for number in (2, 5):
            done = self.run_program(self.config(model={"num_labels": number}))
            self.assertEqual(done.code, 78, done.err)
            self.assertIn(f"model.num_labels is {number}, and the training data has 3 labels", done.err)
        self.succeed(self.config(model={"num_labels": 3}, train={"max_steps": 1}))


if __name__ == "__main__":
    unittest.main()
