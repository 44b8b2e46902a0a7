"""A job that is asked to stop, or is struck, goes on where it was and ends with the weights of an undisturbed run."""
import os
import signal
import time
import unittest

from batch import TEMPLATES, BatchTest
from cluster import call
from harness import PROGRAM

SLOW = {"SFT_FAILPOINTS": "trainer.step=sleep:0.2"}


class Interruptions(BatchTest):
    def test_signal_by_hand_is_requeued_and_goes_on(self):
        for name, options in (("steps", []), ("script", ["--batch"])):
            with self.subTest(to=name):
                job = self.train(self.config(name), **SLOW)
                self.wait_for_step(job, 7, name)
                call("scancel", "--signal=USR2", *options, job.number)
                self.assert_went_on(job, name)

    # Loading a large program from a slow disk can take longer than SLURM takes to change its mind. Seen to fail before
    # the script requeued where it was asked to stop and has no word of the program: FAILED with 140.
    def test_signal_before_the_ranks_listen_is_requeued(self):
        slow = self.home / "slow-to-load"
        slow.write_text(f'#!/bin/sh\necho loading\n[ -e loaded-once ] || sleep 5\ntouch loaded-once\nexec {PROGRAM} "$@"\n')
        slow.chmod(0o755)
        job = self.train(self.config(), SFT_DIST=str(slow))
        job.wait_until(lambda: job.text().count("loading") == 2, "its ranks")
        call("scancel", "--signal=USR2", "--batch", job.number)
        self.assert_completed(job)
        self.assertEqual(job.restarts(), 1)
        self.assert_undisturbed()

    def test_time_limit_is_requeued_and_goes_on(self):
        job = self.train(self.config(), options=["--time=1", "--signal=B:USR2@50"], SFT_FAILPOINTS="trainer.step=sleep:2")
        self.assert_completed(job, seconds=300)
        self.assertGreaterEqual(job.restarts(), 1)
        self.assert_undisturbed()

    def preempted(self, script):
        low = self.submit(script, self.config("low"), options=[f"--nodelist={self.nodes()[0]}"], **SLOW)
        self.wait_for_step(low, 7, "low")
        high = self.train(self.config("high"), options=["--partition=high", f"--nodelist={self.nodes()[0]}"])
        self.assert_completed(high)
        self.assert_went_on(low, "low")

    def test_preempted_job_makes_room_and_goes_on(self):
        self.preempted(TEMPLATES / "train.sbatch")

    def test_ten_preemptions_of_ten_make_room_and_the_run_goes_on(self):
        whole = self.train(self.config("whole", train={"num_train_epochs": 20}))
        self.assert_completed(whole)
        slowly = self.home / "slowly"
        slowly.write_text(f'#!/bin/sh\n[ -e hurry ] || export SFT_FAILPOINTS=trainer.step=sleep:0.4\nexec {PROGRAM} "$@"\n')
        slowly.chmod(0o755)
        here = f"--nodelist={self.nodes()[0]}"
        low = self.train(self.config("low", train={"num_train_epochs": 20}), options=[here], SFT_DIST=str(slowly))
        for preemption in range(1, 11):
            self.wait_for_step(low, self.step_of("low") + 2, "low")
            if preemption == 10:
                (self.home / "hurry").touch()
            self.assert_completed(self.submit(self.in_a_moment(), options=["--partition=high", here]))
            low.wait_until(lambda: low.restarts() == preemption, f"start {preemption + 1}")
        self.assert_completed(low)
        self.assertEqual((low.restarts(), low.text().count("resumed from")), (10, 10), low.text())
        self.assertEqual(self.weights("low"), self.weights("whole"))
        self.assertEqual(self.lines("low"), self.lines("whole"))

    def in_a_moment(self):
        script = self.home / "in-a-moment"
        script.write_text("#!/bin/sh\ntrue\n")
        return script

    # As on a cluster without preempt_send_user_signal.
    def test_preempted_job_that_gets_term_makes_room_and_goes_on(self):
        lines = (TEMPLATES / "train.sbatch").read_text().splitlines(keepends=True)
        script = self.home / "no-signal.sbatch"
        script.write_text("".join(line for line in lines if "--signal=B" not in line))
        self.assertEqual(len(script.read_text().splitlines()), len(lines) - 1)
        self.preempted(script)

    # Seen to fail before the script asked for the job's state: it came back and ran to its end.
    def test_cancelled_job_saves_and_stays_cancelled(self):
        job = self.train(self.config(), **SLOW)
        self.wait_for_step(job, 7)
        call("scancel", job.number)
        self.assertEqual(job.wait_for_end(), "CANCELLED")
        self.assertEqual(self.exit_status(), 75)
        time.sleep(8)  # a job that was put back would have started by now
        self.assertEqual(job.state(), "CANCELLED")
        self.assert_completed(self.train(self.config()))
        self.assert_undisturbed()

    def assert_ends_and_goes_on(self, job, config, options, struck):
        self.assertEqual(job.wait_for_end(), "FAILED")
        seconds = time.time() - struck
        print(f"ended after {seconds:.1f} s", end=" ... ", flush=True)
        self.assertLess(seconds, 5)
        self.assertEqual((job.restarts(), job.ranks()), (0, {}))
        again = self.train(config, options=options)
        self.assert_completed(again)
        self.assertIn("step 5", again.text())
        self.assert_undisturbed()

    def killed_rank(self, *options):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5})
        job = self.train(config, options=options, **SLOW)
        self.wait_for_step(job, 7)
        os.kill(job.ranks()[1], signal.SIGKILL)
        self.assert_ends_and_goes_on(job, config, options, time.time())

    # KillWait is SLURM's default of 30 s in these tests, which is what the job took without the function `rank`.
    def test_killed_rank_ends_the_job_and_the_next_start_goes_on(self):
        self.killed_rank()

    def test_killed_rank_of_two_nodes_ends_the_job_and_the_next_start_goes_on(self):
        self.needs_two_nodes()
        self.killed_rank("--nodes=2", "--ntasks-per-node=1")

    def test_exception_of_one_rank_ends_the_job_and_the_next_start_goes_on(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5})
        job = self.train(config, SFT_FAILPOINTS="rank=1;trainer.step@8=throw")
        self.wait_for_step(job, 7)
        self.assert_ends_and_goes_on(job, config, (), time.time())
        self.assertEqual(job.facts()["ExitCode"], "70:0", job.text())

    def test_bad_config_is_not_requeued(self):
        job = self.train(self.config(optim={"learning_rat": 1e-3}))
        self.assert_failed(job, 78)
        self.assertIn("learning_rate", job.text())

    def test_bad_data_is_not_requeued(self):
        (self.home / "torn.jsonl").write_text('{"text": "word1", "label": "alpha"}\n{"text": "wor\n')
        job = self.train(self.config(data={"train_file": str(self.home / "torn.jsonl")}))
        self.assert_failed(job, 79)
        self.assertIn("torn.jsonl:2", job.text())


if __name__ == "__main__":
    unittest.main()
