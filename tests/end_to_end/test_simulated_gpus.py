"""The whole program on GPUs that need no GPU (tests/simulated_gpu): each rank on a device of its own, against the same run on CPU cores."""
import json
import os
import unittest

from harness import make_rows, write_rows
from simulated import SimulatedRuns

WORLDS = [int(ranks) for ranks in os.environ.get("SIMULATED_GPUS", "1 2 4").split()]


class SimulatedGpus(SimulatedRuns):
    def test_texts_train_as_on_cpu_cores(self):
        self.succeed(self.settings("cpu", "cpu"))
        for ranks in WORLDS:
            self.train(f"gpus-{ranks}", ranks=ranks)
            self.assert_same_training(f"gpus-{ranks}", "cpu")

    def test_images_train_as_on_cpu_cores(self):
        sections = self.images()
        self.succeed(self.settings("cpu", "cpu", **sections))
        for ranks in WORLDS[1:] or WORLDS:
            self.train(f"gpus-{ranks}", ranks=ranks, **sections)
            self.assert_same_training(f"gpus-{ranks}", "cpu")

    def test_a_killed_run_goes_on_in_another_world_and_is_exported(self):
        saves = {"save": {"save_strategy": "steps", "save_steps": 5}}
        self.succeed(self.settings("cpu", "cpu", **saves))
        killed, _ = self.on_gpus(self.settings("gpus", **saves), ranks=2, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"})
        self.assertNotEqual(killed.code, 0)
        done, _ = self.on_gpus(self.settings("gpus", **saves), ranks=1)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("resumed from", done.err)
        self.assert_same_training("gpus", "cpu")
        done, _ = self.on_gpus("export", self.run_dir("gpus"), "--output", self.home / "exported")
        self.assertEqual(done.code, 0, done.err)
        from transformers import AutoModelForSequenceClassification

        AutoModelForSequenceClassification.from_pretrained(self.home / "exported")

    def test_zero3_is_refused(self):
        done, _ = self.on_gpus(self.settings("spread", parallel={"strategy": "zero3"}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn('parallel.strategy = "zero3" is not built for GPUs', done.err)

    # In float32 the square of a target of 3e38 is infinite. A device leaves the update out, and its host hears of it an update later; a save hears of all before it.
    def test_an_update_that_is_not_finite_is_left_out_and_counted(self):
        rows = [{"text": row["text"], "label": len(row["text"]) / 50} for row in make_rows(40, 4)]
        rows[5]["label"] = 3e38
        write_rows(self.home / "numbers.jsonl", rows)
        sections = {"model": {"dtype": "float32", "ignore_mismatched_sizes": True}, "train": {"num_train_epochs": 2}, "save": {"save_strategy": "steps", "save_steps": 1, "save_total_limit": 20},
                    "data": {"train_file": str(self.home / "numbers.jsonl"), "validation_file": None, "test_file": None}}
        self.succeed(self.settings("cpu", "cpu", **sections))
        theirs = self.lines("cpu", "grad_norm")
        skipped = [step for step, norm in theirs.items() if isinstance(norm, str)]
        self.assertEqual(len(skipped), 2, theirs)
        for ranks in (1, 2):
            name = f"gpus-{ranks}"
            self.train(name, ranks=ranks, **sections)
            for step, norm in self.lines(name, "grad_norm").items():
                self.assertEqual(norm, theirs[step]) if step in skipped else self.assertAlmostEqual(norm, theirs[step], delta=1e-4 * theirs[step], msg=f"{name}, step {step}")
            saved, saved_by_cpu = (sorted(path.name for path in self.run_dir(each).glob("checkpoint-*")) for each in (name, "cpu"))
            self.assertEqual(saved, saved_by_cpu)
            self.assertGreater(len(saved), 5)
            for step in saved:
                states = [json.loads((self.run_dir(each) / step / "trainer_state.json").read_text()) for each in (name, "cpu")]
                for key in ("skipped_updates", "not_finite_in_a_row", "optimizer_updates"):
                    self.assertEqual(states[0][key], states[1][key], (name, step, key))
            self.assertEqual(self.summary(name)["skipped_updates"], 2)

    # Five in a row end a run, the host of a device an update later than that of a CPU.
    def test_a_run_whose_updates_are_none_is_given_up(self):
        sections = {"model": {"dtype": "float32"}, "optim": {"learning_rate": 1e30}, "train": {"num_train_epochs": 5, "max_grad_norm": 0.0}, "log": {"logging_steps": 1000}}
        done, _ = self.on_gpus(self.settings("gpus", **sections), ranks=2)
        self.assertEqual(self.exit_status("gpus"), 80, done.err)
        theirs = self.run_program(self.settings("cpu", "cpu", **sections))
        said = [line for line in theirs.err.splitlines() if "5 updates in a row" in line]
        self.assertEqual(len(said), 1, theirs.err)
        self.assertIn(said[0].split("5 updates in a row")[1], done.err)


if __name__ == "__main__":
    unittest.main()
