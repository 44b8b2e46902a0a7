"""A request to stop ends every command soon and cleanly, and a job that gets nowhere is not requeued for ever."""
import os
import signal
import subprocess
import time
import unittest

from harness import EndToEnd, Finished, make_rows, write_rows


class Stops(EndToEnd):
    def signal_when(self, ready, *arguments, ranks=1, number=signal.SIGTERM, environment=None):
        """Starts the program and sends it, or its launcher, the signal once `ready` holds; says how long it went on."""
        process = subprocess.Popen(self.command(*arguments, ranks=ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        deadline = time.time() + 60
        while not ready() and process.poll() is None and time.time() < deadline:
            time.sleep(0.005)
        self.assertIsNone(process.poll(), "it ended before the signal")
        process.send_signal(number)
        self.since = time.time()
        out, err = process.communicate(timeout=60)
        self.since = time.time() - self.since
        return Finished(process.returncode, out, err)

    def many_rows(self):
        rows = make_rows(200, 9)
        write_rows(self.home / "many.jsonl", rows * 300)
        return self.home / "many.jsonl"

    def test_prepare_leaves_nothing_half_written(self):
        config = self.config(data={"train_file": str(self.many_rows()), "validation_file": None, "test_file": None, "prepared_dir": str(self.home / "p")})
        for ranks, number in ((1, signal.SIGTERM), (1, signal.SIGINT), (2, signal.SIGUSR2)):
            with self.subTest(ranks=ranks, number=number):
                done = self.signal_when(lambda: list(self.home.glob("p/*.partial-*")), "prepare", config, ranks=ranks, number=number)
                self.assertEqual(done.code, 75, done.err)
                self.assertIn("stopped by a signal", done.err)
                self.assertEqual(list((self.home / "p").iterdir()), [])

    def test_train_leaves_while_it_prepares(self):
        config = self.config(data={"train_file": str(self.many_rows()), "validation_file": None, "test_file": None, "prepared_dir": str(self.home / "p")}, train={"max_steps": 2})
        done = self.signal_when(lambda: list(self.home.glob("p/*.partial-*")), config)
        self.assertEqual((done.code, self.exit_status()), (75, 75), done.err)
        self.assertEqual(list((self.home / "p").iterdir()), [])

    def test_predict_and_evaluate_leave(self):
        self.succeed(self.config(data={"test_file": None, "prepared_dir": str(self.home / "p")}, train={"max_steps": 2}))
        rows = self.many_rows()
        for ranks in (1, 2):
            out = self.home / f"out{ranks}.jsonl"
            done = self.signal_when(lambda: list(self.home.glob(f"{out.name}.scratch-*/*.part-0")), "predict", self.run_dir(), "--input", rows, "--output", out, ranks=ranks, number=signal.SIGUSR1)
            self.assertEqual(done.code, 75, done.err)
            self.assertEqual(list(self.home.glob(f"{out.name}*")), [])
        self.assertNotIn("error", done.err)
        made = lambda: [path for path in (self.home / "p").glob("file-*") if ".partial-" not in path.name]
        done = self.signal_when(made, "evaluate", self.run_dir(), "--file", rows)
        self.assertEqual((done.code, done.out), (75, ""), done.err)

    def test_a_sweep_stops_between_its_trials(self):
        config = self.config("sweep", data={"test_file": None}, train={"max_steps": 3})
        with open(config, "a") as out:
            out.write('[sweep.parameters]\nseed = [1, 2, 3]\n')
        first = self.run_dir("sweep") / "seed=1" / "model"
        done = self.signal_when(first.exists, "sweep", config)
        self.assertEqual(done.code, 75, done.err)
        self.assertFalse((self.run_dir("sweep") / "seed=3").exists())
        self.succeed("sweep", config)
        self.assertEqual([self.exit_status(f"sweep/seed={seed}") for seed in (1, 2, 3)], [0, 0, 0])
        left = [self.run_dir("sweep") / name for name in ("sweep.csv", "report.html", "best")]
        self.assertTrue(all(path.exists() for path in left))
        config.write_text(config.read_text().replace("[1, 2, 3]", "[4, 5, 6]"))
        done = self.signal_when((self.run_dir("sweep") / "seed=4" / "model").exists, "sweep", config)
        self.assertEqual(done.code, 75, done.err)
        self.assertFalse([path for path in left if path.exists()], "the table of the other grid")

    def test_ctrl_c_under_mpirun_goes_on_from_the_last_checkpoint(self):
        saves = {"save_strategy": "steps", "save_steps": 5}
        self.succeed(self.config("straight", save=saves), ranks=2)
        config = self.config("stopped", save=saves)
        checkpoint = self.run_dir("stopped") / "checkpoint-10"
        done = self.signal_when(checkpoint.exists, config, ranks=2, number=signal.SIGINT, environment={"SFT_FAILPOINTS": "trainer.step=sleep:0.1"})
        self.assertIn("to stop with a checkpoint: kill -USR1", done.err)
        self.assertNotEqual(done.code, 0)
        self.succeed(config, ranks=2)
        self.assertEqual(self.weights("stopped"), self.weights("straight"))
        self.assertEqual(self.lines("stopped"), self.lines("straight"))

    def test_no_exit_status_of_an_earlier_start_survives(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5})
        self.signal_at_step(config, 7)
        self.assertEqual(self.exit_status(), 75)
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@3=kill"})
        self.assertFalse((self.run_dir() / "exit_status").exists())
        self.succeed(config)
        self.assertEqual(self.exit_status(), 0)

    def test_three_starts_that_get_nowhere_are_the_last(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5})
        die = lambda step: self.run_program(config, environment={"SFT_FAILPOINTS": f"trainer.step@{step}=kill"})
        for start in range(3):
            self.assertEqual(die(3).code, -signal.SIGKILL)
        done = self.run_program(config)
        self.assertEqual((done.code, self.exit_status()), (93, 93), done.err)
        self.assertIn("3 starts in a row", done.err)
        for start in range(5):  # each of them saves once more
            self.assertEqual(die(7).code, -signal.SIGKILL)
        self.succeed(config)
        self.assertFalse((self.run_dir() / ".starts").exists())


if __name__ == "__main__":
    unittest.main()
