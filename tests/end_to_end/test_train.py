"""The main job, from raw rows to a model that transformers loads."""
import json
import re
import unittest

from harness import LABELS, EndToEnd, make_model, make_rows, read_rows, write_rows


class Train(EndToEnd):
    def predictions_of_transformers(self, directory, rows, pair=None, max_length=32):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(directory)
        model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
        texts = [[row["text"] for row in rows]] + ([[row[pair] for row in rows]] if pair else [])
        encoded = tokenizer(*texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.no_grad():
            probabilities = torch.softmax(model(**encoded).logits, -1)
        return [{model.config.id2label[i]: p for i, p in enumerate(row)} for row in probabilities.tolist()]

    def assert_same_scores(self, ours, theirs):
        self.assertEqual(len(ours), len(theirs))
        for mine, reference in zip(ours, theirs):
            self.assertEqual(mine["label"], max(reference, key=reference.get))
            for name, score in reference.items():
                self.assertAlmostEqual(mine["scores"][name], score, delta=1e-5)

    def test_exported_model_predicts_in_transformers_what_it_predicts_here(self):
        self.succeed(self.config(), ranks=2)
        rows = read_rows(self.shared / "test.jsonl")
        theirs = self.predictions_of_transformers(self.run_dir() / "model", rows)
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        self.assert_same_scores(ours, theirs)
        self.succeed("predict", self.run_dir(), "--input", self.shared / "test.jsonl", "--output", self.home / "again.jsonl", ranks=3)
        self.assert_same_scores(read_rows(self.home / "again.jsonl"), theirs)

    def test_learns_and_reports_scikit_learns_numbers(self):
        from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, matthews_corrcoef

        self.succeed(self.config(train={"num_train_epochs": 10}), ranks=2)
        test = self.summary()["test_metrics"]
        truth = [row["label"] for row in read_rows(self.shared / "test.jsonl")]
        guesses = [row["label"] for row in read_rows(self.run_dir() / "predictions.jsonl")]
        self.assertAlmostEqual(test["accuracy"], accuracy_score(truth, guesses), places=12)
        self.assertAlmostEqual(test["f1"], f1_score(truth, guesses, average="macro"), places=12)
        self.assertAlmostEqual(test["mcc"], matthews_corrcoef(truth, guesses), places=12)
        self.assertEqual(test["details"]["confusion_matrix"], confusion_matrix(truth, guesses, labels=LABELS).tolist())
        self.assertGreater(test["accuracy"], 0.7)

    def test_metrics_are_chosen_by_name_and_areas_are_scikit_learns(self):
        from sklearn.metrics import average_precision_score, cohen_kappa_score, log_loss, roc_auc_score

        self.succeed(self.config(eval={"metrics": ["cohen_kappa", "roc_auc", "average_precision"], "load_best_model_at_end": True}), ranks=3)
        test = self.summary()["test_metrics"]
        self.assertEqual(list(test)[:4], ["loss", "cohen_kappa", "roc_auc", "average_precision"])
        self.assertEqual(self.summary()["best_metric"], max(self.lines(key="eval_cohen_kappa").values()))
        truth = [LABELS.index(row["label"]) for row in read_rows(self.shared / "test.jsonl")]
        rows = read_rows(self.run_dir() / "predictions.jsonl")
        scores = [[row["scores"][label] for label in LABELS] for row in rows]
        one_hot = [[int(t == k) for k in range(3)] for t in truth]
        self.assertAlmostEqual(test["loss"], log_loss(truth, scores), places=6)
        self.assertAlmostEqual(test["cohen_kappa"], cohen_kappa_score(truth, [LABELS.index(row["label"]) for row in rows]), places=12)
        self.assertAlmostEqual(test["roc_auc"], roc_auc_score(truth, scores, multi_class="ovr"), places=12)
        self.assertAlmostEqual(test["average_precision"], average_precision_score(one_hot, scores), places=12)
        done = self.run_program(self.config("misspelt", eval={"metrics": ["roc_acu"]}), ranks=2)
        self.assertEqual(self.exit_status("misspelt"), 78)
        self.assertIn("eval.metrics: no metric 'roc_acu'", done.err)

    def test_two_classes_are_told_with_their_areas(self):
        from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

        for name in ("train", "validation", "test"):
            write_rows(self.home / f"{name}.jsonl", [{**row, "label": "no" if row["label"] == LABELS[0] else "yes"} for row in read_rows(self.shared / f"{name}.jsonl")])
        data = {f"{name}_file": str(self.home / f"{name}.jsonl") for name in ("train", "validation", "test")}
        self.succeed(self.config(data=data, model={"ignore_mismatched_sizes": True}), ranks=2)
        test, rows = self.summary()["test_metrics"], read_rows(self.run_dir() / "predictions.jsonl")
        truth = [row["label"] == "yes" for row in read_rows(self.home / "test.jsonl")]
        scores = [row["scores"]["yes"] for row in rows]
        self.assertAlmostEqual(test["f1"], f1_score(truth, [row["label"] == "yes" for row in rows]), places=12)
        self.assertAlmostEqual(test["roc_auc"], roc_auc_score(truth, scores), places=12)
        self.assertAlmostEqual(test["average_precision"], average_precision_score(truth, scores), places=12)

    def test_what_the_weight_files_lack_starts_as_a_model_without_files_does(self):
        import shutil

        import safetensors.torch

        lacking = self.home / "lacking"
        shutil.copytree(self.shared / "model", lacking)
        weights = safetensors.torch.load_file(lacking / "model.safetensors")
        name = "bert.encoder.layer.1.output.dense.weight"
        del weights[name]
        weights["bert.pooler.dense.weight"] = weights["bert.pooler.dense.weight"][:5].clone()
        safetensors.torch.save_file(weights, lacking / "model.safetensors", metadata={"format": "pt"})
        still = {"optim": {"learning_rate": 1e-12}, "train": {"max_steps": 1}}
        done = self.succeed(self.config("lacking", model={"model_name_or_path": str(lacking), "ignore_mismatched_sizes": True}, **still), ranks=2)
        self.assertIn(f"the weight files lack 1 tensors of the model below its head, which start as random numbers: {name}", done.err)
        self.assertEqual(len([line for line in done.err.splitlines() if "warning:" in line and "lacking" in line]), 1, done.err)
        self.succeed(self.config("random", model={"init": "random"}, **still))
        ours, drawn = (safetensors.torch.load_file(self.run_dir(run) / "model/model.safetensors") for run in ("lacking", "random"))
        for anew in (name, "bert.pooler.dense.weight"):
            self.assertLess((ours[anew] - drawn[anew]).abs().max().item(), 1e-9)
            self.assertAlmostEqual(ours[anew].std().item(), 0.1, delta=0.02)
        kept = "bert.encoder.layer.0.output.dense.weight"
        self.assertLess((ours[kept] - weights[kept]).abs().max().item(), 1e-9)

    def test_number_of_ranks_changes_no_loss_and_no_sample(self):
        for ranks in (1, 2, 3):
            self.succeed(self.config(f"ranks{ranks}", model={"dtype": "float64"}, log={"sample_ids": True}), ranks=ranks)
        for ranks in (2, 3):
            self.assertEqual({k: sorted(v) for k, v in self.lines(f"ranks{ranks}", "sample_ids").items()}, {k: sorted(v) for k, v in self.lines("ranks1", "sample_ids").items()})
            for key in ("loss", "grad_norm", "eval_loss", "eval_accuracy"):
                expected, actual = self.lines("ranks1", key), self.lines(f"ranks{ranks}", key)
                self.assertEqual(list(expected), list(actual))
                for step, value in expected.items():
                    self.assertAlmostEqual(actual[step], value, delta=1e-12 * max(1, abs(value)))

    def test_more_ranks_than_rows_in_the_last_batch(self):
        write_rows(self.home / "few.jsonl", make_rows(9, 5))
        keys = {"train_file": str(self.home / "few.jsonl"), "validation_file": None, "test_file": None}
        self.succeed(self.config("one", data=keys, model={"dtype": "float64"}))
        self.succeed(self.config("four", data=keys, model={"dtype": "float64"}), ranks=4)
        for step, value in self.lines("one").items():
            self.assertAlmostEqual(self.lines("four")[step], value, delta=1e-12)

    def test_pairs_are_read_as_transformers_reads_them(self):
        rows = make_rows(60, 6, pairs=True)
        write_rows(self.home / "pairs.jsonl", rows)
        data = {"train_file": str(self.home / "pairs.jsonl"), "test_file": str(self.home / "pairs.jsonl"), "validation_file": None, "text_pair_column": "second", "max_length": 12}
        self.succeed(self.config(data=data), ranks=2)
        theirs = self.predictions_of_transformers(self.run_dir() / "model", rows, pair="second", max_length=12)
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), theirs)

    def test_frozen_trunk_keeps_its_bytes_and_costs_no_communication(self):
        from safetensors import safe_open

        self.succeed(self.config(freeze={"all_but_last": 0}), ranks=4)
        before = safe_open(self.shared / "model" / "model.safetensors", "np")
        after = safe_open(self.run_dir() / "model" / "model.safetensors", "np")
        for name in before.keys():
            if not name.startswith("classifier."):
                self.assertEqual(before.get_tensor(name).tobytes(), after.get_tensor(name).tobytes(), name)
        summary = self.summary()
        self.assertEqual(summary["trained_parameters"], 32 * 3 + 3)
        self.assertEqual(summary["bytes_reduced_per_step"], 4 * summary["trained_parameters"])

    def test_activation_cache_in_memory_changes_no_number(self):
        for name, cache in (("plain", "off"), ("kept", "memory")):
            for ranks in (1, 3):
                done = self.succeed(self.config(f"{name}{ranks}", model={"dtype": "float64"}, freeze={"all_but_last": 0, "cache": cache}), ranks=ranks)
                for split in ("90 training", "41 validation"):
                    self.assertEqual(f"cached the activations of the frozen stages for {split} rows" in done.err, cache == "memory")
        for name in ("plain3", "kept1", "kept3"):
            for key in ("loss", "grad_norm", "eval_loss"):
                expected, actual = self.lines("plain1", key), self.lines(name, key)
                self.assertEqual(list(expected), list(actual))
                for step, value in expected.items():
                    self.assertAlmostEqual(actual[step], value, delta=1e-12 * max(1, abs(value)))
        # A run stands on the frozen weights that it began with, and goes on with no others.
        other = make_model(self.home / "other", initializer_range=0.3)
        moved = lambda steps, model: self.config("moved", model={"dtype": "float64", "model_name_or_path": str(model)}, freeze={"all_but_last": 0, "cache": "memory"}, train={"max_steps": steps}, scheduler={"lr_scheduler_type": "constant"})
        self.succeed(moved(9, self.shared / "model"), ranks=2)
        refused = self.run_program(moved(36, other), ranks=2)
        self.assertEqual(self.exit_status("moved"), 78)
        self.assertIn("base_weights was", refused.err)
        self.succeed(moved(36, self.shared / "model"), ranks=2)
        self.succeed(self.config("stayed", model={"dtype": "float64"}, freeze={"all_but_last": 0}, train={"max_steps": 36}, scheduler={"lr_scheduler_type": "constant"}), ranks=2)
        expected, actual = self.lines("stayed"), self.lines("moved")
        self.assertEqual(list(expected), list(actual))
        for step, value in expected.items():
            self.assertAlmostEqual(actual[step], value, delta=1e-12 * max(1, abs(value)))
        done = self.run_program(self.config("nothing", freeze={"cache": "memory"}), ranks=2)
        self.assertEqual(self.exit_status("nothing"), 78)
        self.assertIn("the lowest stage trains", done.err)

    def test_activation_cache_on_disk_is_found_by_later_runs_and_by_no_others(self):
        def run(name, ranks=2, **sections):
            config = self.config(name, **{"model": {"dtype": "float64"}, "freeze": {"all_but_last": 0, "cache": "disk"}, **sections})
            return self.succeed(config, ranks=ranks).err

        self.succeed(self.config("plain", model={"dtype": "float64"}, freeze={"all_but_last": 0}))
        self.assertIn("cached the activations of the frozen stages", run("first"))
        again = run("again", ranks=3, optim={"learning_rate": 1e-3})
        self.assertIn("found the cached activations of the frozen stages for 90 training rows", again)
        self.assertIn("found the cached activations of the frozen stages for 41 validation rows", again)
        run("same", ranks=1)
        for name in ("first", "same"):
            for key in ("loss", "grad_norm", "eval_loss"):
                expected, actual = self.lines("plain", key), self.lines(name, key)
                self.assertEqual(list(expected), list(actual))
                for step, value in expected.items():
                    self.assertAlmostEqual(actual[step], value, delta=1e-12 * max(1, abs(value)))
        # Other weights, another cut, another type, other rows: none of these may find it.
        other = make_model(self.home / "other", initializer_range=0.3)
        for name, sections in {"weights": {"model": {"dtype": "float64", "model_name_or_path": str(other)}}, "cut": {"freeze": {"all_but_last": 1, "cache": "disk"}},
                               "type": {"model": {"dtype": "float32"}}, "rows": {"data": {"max_train_samples": 50, "max_eval_samples": 20}}}.items():
            self.assertNotIn("found the cached activations of the frozen stages", run(name, **sections), name)
        # A file that was damaged is told and made anew.
        for path in self.home.rglob("activations-*.safetensors"):
            bytes_of_file = bytearray(path.read_bytes())
            bytes_of_file[-5] ^= 1
            path.write_bytes(bytes_of_file)
        mended = run("mended")
        self.assertIn("damaged", mended)
        self.assertIn("cached the activations of the frozen stages for 90 training rows", mended)
        self.assertIn("found the cached activations of the frozen stages for 90 training rows", run("after"))

    def test_narrow_products_follow_wide_ones_on_any_number_of_ranks(self):
        self.succeed(self.config("wide"))
        for ranks in (1, 3):
            self.succeed(self.config(f"narrow{ranks}", model={"dtype": "bfloat16"}), ranks=ranks)
            expected, actual = self.lines("wide"), self.lines(f"narrow{ranks}")
            self.assertEqual(list(expected), list(actual))
            self.assertNotEqual(expected, actual)
            for step, value in expected.items():
                self.assertAlmostEqual(actual[step], value, delta=0.05 * value)
        self.succeed(self.config("again", model={"dtype": "bfloat16"}), ranks=3)
        self.assertEqual(self.lines("again"), self.lines("narrow3"))
        self.assertEqual(self.summary("narrow3")["bytes_reduced_per_step"], 4 * self.summary("narrow3")["trained_parameters"])

    def test_gradient_checkpointing_changes_no_bit(self):
        for name, recompute in (("kept", False), ("recomputed", True)):
            self.succeed(self.config(name, train={"gradient_checkpointing": recompute}), ranks=2)
        for key in ("loss", "grad_norm", "eval_loss"):
            self.assertEqual(self.lines("kept", key), self.lines("recomputed", key))
        self.assertEqual((self.run_dir("kept") / "model/model.safetensors").read_bytes(), (self.run_dir("recomputed") / "model/model.safetensors").read_bytes())

    def test_trace_shows_what_every_rank_did_in_its_first_updates(self):
        self.succeed(self.config(log={"trace": 4}), ranks=2)
        trace = json.loads((self.run_dir() / "trace.json").read_text())["traceEvents"]
        for rank in (0, 1):
            spans = [event for event in trace if event["pid"] == rank and event["ph"] == "X"]
            steps = sorted((event["ts"], event["ts"] + event["dur"]) for event in spans if event["name"] == "step")
            self.assertEqual(len(steps), 4)
            for name in ("load", "forward", "backward", "reduce", "clip", "optimizer"):
                inside = [event for event in spans if event["name"] == name]
                self.assertGreaterEqual(len(inside), 4, name)
                for event in inside:
                    self.assertTrue(any(begin <= event["ts"] + 1 and event["ts"] + event["dur"] <= end + 1 for begin, end in steps), (name, event, steps))
            self.assertTrue(any(event["name"].startswith("start_all_reduce of ") for event in spans))
            self.assertTrue(any(event["name"] == "read ahead" for event in spans))
        self.succeed(self.config("whole", log={"trace": 1000}), ranks=1)
        names = [event["name"] for event in json.loads((self.run_dir("whole") / "trace.json").read_text())["traceEvents"]]
        self.assertIn("evaluation", names)
        self.assertIn("save", names)

    def test_best_model_is_what_is_exported_and_training_stops_early(self):
        self.succeed(self.config(train={"num_train_epochs": 40}, optim={"learning_rate": 3e-2}, eval={"early_stopping_patience": 2, "metric_for_best_model": "loss"}), ranks=2)
        summary = self.summary()
        self.assertEqual(summary["exit_reason"], "early_stopping")
        losses = self.lines(key="eval_loss")
        best = min(losses, key=losses.get)
        self.assertEqual(summary["best_model_checkpoint"], f"checkpoint-{best}")
        exported = (self.run_dir() / "model" / "model.safetensors").read_bytes()
        self.assertEqual(exported[-1000:], (self.run_dir() / f"checkpoint-{best}" / "model.safetensors").read_bytes()[-1000:])

    def test_evaluate_repeats_the_summary_and_export_the_model(self):
        self.succeed(self.config(), ranks=2)
        out = json.loads(self.succeed("evaluate", self.run_dir(), "--split", "test", "--checkpoint", "last", ranks=3).out)
        self.assertAlmostEqual(out["eval_accuracy"], self.summary()["test_metrics"]["accuracy"], places=12)
        self.assertAlmostEqual(out["eval_loss"], self.summary()["test_metrics"]["loss"], places=5)
        self.succeed("export", self.run_dir(), "--checkpoint", "last", "--output", self.home / "exported")
        theirs = self.predictions_of_transformers(self.home / "exported", read_rows(self.shared / "test.jsonl"))
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), theirs)

    def test_base_class_directory_and_csv_rows(self):
        make_model(self.home / "base", base_class=True)
        rows = make_rows(40, 8)
        (self.home / "rows.csv").write_text("label,text\r\n" + "".join(f'"{row["label"]}","{row["text"]}, ""x""\ny"\r\n' for row in rows))
        data = {"train_file": str(self.home / "rows.csv"), "validation_file": None, "test_file": None}
        done = self.succeed(self.config(model={"model_name_or_path": str(self.home / "base")}, data=data))
        self.assertIn("classifier.weight", done.err)

    def test_validation_split_holds_out_the_same_rows_on_any_number_of_ranks(self):
        for ranks in (1, 3):
            self.succeed(self.config(f"r{ranks}", data={"validation_file": None, "validation_split": 0.2, "prepared_dir": str(self.home / f"p{ranks}")}, model={"dtype": "float64"}), ranks=ranks)
        for step, value in self.lines("r1", "eval_loss").items():
            self.assertAlmostEqual(self.lines("r3", "eval_loss")[step], value, delta=1e-12)

    def test_sweep_runs_each_trial_once_and_ends_in_a_table(self):
        config = self.config("sweep", train={"max_steps": 3})
        with open(config, "a") as out:
            out.write('[sweep]\nmethod = "grid"\n[sweep.parameters]\n"optim.learning_rate" = [1e-3, 1e-2]\nseed = [1, 2]\n')
        self.succeed("sweep", config, "--index", "2", ranks=2)
        done = self.succeed("sweep", config, ranks=2)
        self.assertIn("finished already", done.err)
        table = (self.run_dir("sweep") / "sweep.csv").read_text().splitlines()
        self.assertEqual(len(table), 5)
        self.assertEqual([line.split(",")[:3] for line in table[1:]], [[f'"optim.learning_rate={rate}', f'seed={seed}"', rate] for rate in ("0.001", "0.01") for seed in (1, 2)])
        self.assertEqual(len(self.succeed("sweep", config, "--list").out.splitlines()), 4)
        scores = {line.split('"')[1]: self.summary(f"sweep/{line.split(chr(34))[1]}")["best_metric"] for line in table[1:]}
        score, best = re.search(r"best eval_accuracy: (\S+) of .*/sweep/(\S+)\n", done.err).groups()
        self.assertAlmostEqual(float(score), max(scores.values()), places=5)
        self.assertEqual(scores[best], max(scores.values()))
        self.assertRegex(done.out, r"(?s)mean ± standard deviation over seeds\nseeds +optim.learning_rate .*\n2 +0.001 .* ± ")


if __name__ == "__main__":
    unittest.main()
