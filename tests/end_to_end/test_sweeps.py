"""A search with pruning: a table that is the same however the sweep was run, and that holds numbers of whole trials alone."""
import csv
import json

from harness import EndToEnd

SEARCH = """[sweep]
method = "tpe"
num_trials = 6
num_startup_trials = 3
trials_per_round = 2
pruning = { reduction_factor = 3 }
[sweep.parameters]
"optim.learning_rate" = { min = 1e-5, max = 1e-1, log = true }
"train.global_batch_size" = { min = 4, max = 12 }
"""


class Searches(EndToEnd):
    def search(self, name, **data):
        config = self.config(name, data={"test_file": None, **data}, eval={"load_best_model_at_end": not data})
        with open(config, "a") as more:
            more.write(SEARCH)
        return config

    def rows(self, name):
        return list(csv.DictReader((self.run_dir(name) / "sweep.csv").read_text().splitlines()))

    def test_a_killed_sweep_and_an_array_come_to_the_same_table(self):
        whole, array = self.search("whole"), self.search("array")
        self.assertNotEqual(self.run_program("sweep", whole, environment={"SFT_FAILPOINTS": "trainer.step@40=kill"}).code, 0)
        done = self.succeed("sweep", whole)
        early = self.run_program("sweep", array, "--index", "2")
        self.assertEqual(early.code, 78)
        self.assertIn("run it first: --index 0", early.err)
        for index in (1, 0, 2, 3, 5, 4):
            self.succeed("sweep", array, "--index", index, ranks=2 if index == 1 else 1)
        again = self.succeed("sweep", array).err
        self.assertIn("finished already", again)
        self.assertIn("was pruned before", again)
        numbers = lambda rows: [{key: value for key, value in row.items() if not key.startswith("eval_loss")} for row in rows]
        self.assertEqual(numbers(self.rows("whole")), numbers(self.rows("array")))
        self.check_table(self.rows("whole"), done)
        listed = self.succeed("sweep", whole, "--list").out.splitlines()
        self.assertEqual([line.split()[0] for line in listed], [row["trial"] for row in self.rows("whole")])

    def test_a_model_of_a_later_step_than_the_best_evaluation_is_not_linked_as_the_best(self):
        """The loss falls, and the greater is taken as the better: the first evaluation is the best."""
        for name, loads, linked in (("last", False, False), ("best", True, True)):
            config = self.config(name, data={"test_file": None}, eval={"metric_for_best_model": "loss", "greater_is_better": True, "load_best_model_at_end": loads})
            with open(config, "a") as more:
                more.write('[sweep]\nmethod = "grid"\n[sweep.parameters]\n"optim.learning_rate" = [0.004, 0.005]\n')
            done = self.succeed("sweep", config)
            self.assertEqual(("no link to its model" in done.err, (self.run_dir(name) / "best").is_symlink()), (not linked, linked))

    def check_table(self, rows, done):
        self.assertEqual(len(rows), 6)
        self.assertTrue(all(4 <= int(row["train.global_batch_size"]) <= 12 for row in rows))
        pruned = [row for row in rows if row["exit_reason"].startswith("pruned at step")]
        self.assertTrue(pruned, "nothing was pruned")
        self.assertFalse([row for row in pruned if row["best_metric"] or row["eval_accuracy"] or row["global_step"]])
        for row in pruned:
            summary = self.summary(f"whole/{row['trial']}")
            self.assertEqual((summary["exit_reason"], summary["exit_code"]), ("pruned", 0))
            self.assertEqual(row["exit_reason"], f"pruned at step {summary['global_step']} of {summary['total_steps']}")
            self.assertFalse((self.run_dir("whole") / row["trial"] / "model").exists())
            self.assertNotIn(row["trial"], (self.run_dir("whole") / "report.html").read_text())
        best = max((row for row in rows if row["best_metric"]), key=lambda row: float(row["best_metric"]))
        self.assertEqual((self.run_dir("whole") / "best").resolve(), (self.run_dir("whole") / best["trial"] / "model").resolve())
        self.assertIn(f"trial 6 of 6: optim.learning_rate={rows[5]['optim.learning_rate']}", done.err)

    def test_an_array_for_each_round(self):
        config = self.search("run")
        lines = self.succeed("sweep", config, "--slurm").out.splitlines()
        self.assertEqual([line.split("--array=")[1].split()[0] for line in lines[:3]], ["0-1", "2-3", "4-5"])
        self.assertEqual(["--dependency=afterany:$array" in line for line in lines], [False, True, True, True])
        blind = self.run_program("sweep", self.search("blind", validation_file=None))
        self.assertEqual(blind.code, 78, blind.err)
        self.assertIn("compares trials by their evaluations", blind.err)

    def test_settings_of_before_are_kept_and_others_refused(self):
        config = self.search("run")
        self.succeed("sweep", config, "--index", "0")
        record = json.loads((self.run_dir() / ".trials/0.json").read_text())
        self.assertEqual(record["exit_code"], 0)
        config.write_text(config.read_text().replace("max = 1e-1", "max = 1e-2"))
        done = self.run_program("sweep", config, "--index", "0")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("holds trials of another [sweep] table", done.err)
