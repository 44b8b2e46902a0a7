"""`hooks.on_evaluation`: gets the metrics, and whatever becomes of it, the run goes on."""
import sys

from harness import PROGRAM, EndToEnd, read_rows

TELL = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"


class Hooks(EndToEnd):
    def test_each_evaluation_is_told_once_on_any_number_of_ranks(self):
        for ranks in (1, 2):
            out = self.home / f"told-{ranks}.jsonl"
            self.succeed(self.config(f"run{ranks}", hooks={"on_evaluation": [sys.executable, "-c", TELL, str(out)]}), ranks=ranks)
            told = read_rows(out)
            logged = [row for row in read_rows(self.run_dir(f"run{ranks}") / "metrics.jsonl") if "eval_loss" in row]
            self.assertEqual([row["metrics"] for row in told], logged)
            self.assertEqual(len(told), 3)
            self.assertEqual(told[0]["output_dir"], str(self.run_dir(f"run{ranks}")))

    def test_a_hook_that_is_this_program_leaves_no_exit_code_of_the_job(self):
        seen, status = self.home / "seen", self.home / "status"
        command = ["sh", "-c", f'echo "$SFT_EXIT_STATUS$SFT_FAILPOINTS" >> {seen} && exec {PROGRAM} inspect {self.shared / "model"}']
        for ranks in (1, 2):
            config = self.config(f"run{ranks}", hooks={"on_evaluation": command})
            done = self.run_program(config, ranks=ranks, environment={"SFT_EXIT_STATUS": str(status), "SFT_FAILPOINTS": "trainer.step@20=kill"})
            self.assertNotEqual(done.code, 0)
            self.assertNotIn("hooks.on_evaluation", done.err)
            self.assertEqual(seen.read_text(), "\n" * ranks)
            self.assertFalse(status.exists())

    def test_failures_are_warned_of_and_end_nothing(self):
        for command, told in (([sys.executable, "-c", "raise SystemExit(3)"], "ended with 3"), ([str(self.home / "nowhere")], "cannot be started"),
                              ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "ended by signal 9"), (["sh", "-c", "sleep 100 & wait"], "took longer than")):
            with self.subTest(told):
                name = told.replace(" ", "-")
                done = self.succeed(self.config(name, hooks={"on_evaluation": command, "kill_after_seconds": 0.3}, train={"max_steps": 2}, comm={"timeout_seconds": 20}), ranks=2)
                self.assertIn(told, done.err)
                self.assertIn("the run goes on", done.err)
                self.assertEqual(self.summary(name)["exit_reason"], "finished")
