"""A sweep as an array: each trial an ordinary run, a table at the end."""
import csv
import shlex
import unittest

from batch import TEMPLATES, BatchTest, Job
from cluster import call

TRIALS = [f"optim.learning_rate={rate}" for rate in ("0.001", "0.005", "0.01")]


class Sweep(BatchTest):
    def sweep_config(self):
        path = self.config("sweep")
        path.write_text(path.read_text() + '[sweep]\n[sweep.parameters]\n"optim.learning_rate" = [1e-3, 5e-3, 1e-2]\n')
        return path

    def trials(self, array):
        """The jobs of an array that have started, by index."""
        lines = call("scontrol", "show", "job", array.number, "-o").stdout.splitlines()
        facts = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]
        return {int(one["ArrayTaskId"]): Job(f"{array.number}_{one['ArrayTaskId']}", self.home / f"job-{one['JobId']}.log")
                for one in facts if one.get("ArrayTaskId", "").isdigit()}

    def test_trials_run_as_an_array_and_end_in_a_table(self):
        config = self.sweep_config()
        printed = self.succeed("sweep", config, "--slurm").out.splitlines()
        self.assertEqual(printed[0], f"array=$(sbatch --parsable --array=0-2 slurm/sweep.sbatch {config})")
        self.assertEqual(shlex.split(printed[1], comments=True), ["sbatch", "--dependency=afterany:$array", "slurm/train.sbatch", "sweep", str(config)])
        array = self.submit(TEMPLATES / "sweep.sbatch", config, options=["--array=0-2"], SFT_FAILPOINTS="trainer.step=sleep:0.05")
        array.wait_until(lambda: 1 in self.trials(array) and self.step_of(f"sweep/{TRIALS[1]}") >= 7, "step 7 of the second trial")
        call("scancel", "--signal=USR2", "--batch", f"{array.number}_1")
        array.wait_until(lambda: len(self.trials(array)) == 3, "three trials")
        for index, job in self.trials(array).items():
            self.assert_completed(job)
            self.assertEqual(job.restarts(), int(index == 1))
            self.assertEqual(self.summary(f"sweep/{TRIALS[index]}")["world_size"], 2)
        table = self.succeed("sweep", config)
        self.assertEqual(table.err.count("finished already"), 3)
        rows = list(csv.DictReader((self.run_dir("sweep") / "sweep.csv").read_text().splitlines()))
        self.assertEqual([row["optim.learning_rate"] for row in rows], ["0.001", "0.005", "0.01"])
        for i, row in enumerate(rows):
            self.assertIn(row["trial"], table.out)
            self.assertAlmostEqual(float(row["eval_accuracy"]), self.summary(f"sweep/{TRIALS[i]}")["metrics"]["accuracy"], places=4)
        self.assert_is_the_ordinary_run(f"sweep/{TRIALS[1]}")

    def test_a_preempted_trial_makes_room_and_goes_on(self):
        config = self.sweep_config()
        array = self.submit(TEMPLATES / "sweep.sbatch", config, options=["--array=0-2"], SFT_FAILPOINTS="trainer.step=sleep:0.2")
        array.wait_until(lambda: 1 in self.trials(array) and self.step_of(f"sweep/{TRIALS[1]}") >= 7, "step 7 of the second trial")
        node = self.trials(array)[1].facts()["NodeList"]
        self.assert_completed(self.train(self.config("high"), options=["--partition=high", f"--nodelist={node}"]))
        array.wait_until(lambda: len(self.trials(array)) == 3, "three trials")
        for index, job in self.trials(array).items():
            self.assert_completed(job)
            self.assertEqual(job.restarts(), int(index == 1), job.text())
        self.assertEqual(self.succeed("sweep", config).err.count("finished already"), 3)
        self.assert_is_the_ordinary_run(f"sweep/{TRIALS[1]}")

    def assert_is_the_ordinary_run(self, trial):
        """Its learning rate is the one of `undisturbed`."""
        self.assertEqual(self.weights(trial), self.undisturbed())


if __name__ == "__main__":
    unittest.main()
