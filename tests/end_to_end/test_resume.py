"""Resume is bitwise on the same number of ranks, exact in order on any other; a death costs at most what came after the last save."""
import os
import signal
import subprocess
import time
import unittest

from harness import EndToEnd

SAVES = {"save_strategy": "steps", "save_steps": 5}


class Resume(EndToEnd):
    def straight(self, ranks=2, **sections):
        self.succeed(self.config("straight", save=SAVES, log={"sample_ids": True}, **sections), ranks=ranks)

    def assert_same_run(self, name):
        for key in ("loss", "grad_norm", "learning_rate", "eval_loss", "eval_accuracy", "sample_ids"):
            self.assertEqual(self.lines(name, key), self.lines("straight", key), key)
        self.assertEqual(self.weights(name), self.weights("straight"))

    def test_killed_rank_mid_step_goes_on_bitwise(self):
        self.straight()
        config = self.config("killed", save=SAVES, log={"sample_ids": True})
        done = self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@18=kill"})
        self.assertNotEqual(done.code, 0)
        again = self.succeed(config, ranks=2)
        self.assertIn("step 15", again.err)
        self.assert_same_run("killed")

    def test_killed_at_each_point_of_a_save_loses_at_most_that_save(self):
        self.straight()
        for point in ("checkpoint.before_write", "checkpoint.after_write", "checkpoint.before_manifest", "checkpoint.before_commit", "checkpoint.after_commit", "checkpoint.before_prune"):
            with self.subTest(point=point):
                name = point.replace(".", "-")
                config = self.config(name, save=SAVES, log={"sample_ids": True})
                done = self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": f"rank=0;{point}@3=kill"})
                self.assertNotEqual(done.code, 0)
                self.succeed(config, ranks=2)
                self.assert_same_run(name)
                self.assertEqual([path.name for path in self.run_dir(name).iterdir() if path.name.startswith(".tmp-")], [])

    def test_signal_to_one_rank_stops_all_at_one_step_with_75(self):
        self.straight()
        config = self.config("signalled", save={"save_strategy": "epoch"}, log={"sample_ids": True})
        self.signal_at_step(config, 7, name="signalled", ranks=2)
        self.assertEqual(self.exit_status("signalled"), 75)
        self.assertEqual(self.summary("signalled")["exit_reason"], "signal")
        self.succeed(config, ranks=2)
        self.assert_same_run("signalled")

    def test_a_signal_before_the_first_update_leaves_what_can_be_started_again(self):
        self.straight()
        for ranks in (1, 2):
            name = f"early{ranks}"
            config = self.config(name, save=SAVES, log={"sample_ids": True})
            process = subprocess.Popen(self.command(config, ranks=ranks), stderr=subprocess.PIPE, text=True)
            while not (self.run_dir(name) / ".lock.1").exists():
                time.sleep(0.002)
            os.kill(process.pid, signal.SIGUSR2)
            err = process.communicate(timeout=60)[1]
            self.assertEqual(self.exit_status(name), 75, err)
            self.assertEqual(list(self.run_dir(name).glob("checkpoint-*")), [])
            self.succeed(config, ranks=2)
            self.assert_same_run(name)

    def test_other_number_of_ranks_keeps_the_order_and_the_losses(self):
        self.straight(ranks=1, model={"dtype": "float64"})
        for first, second in ((1, 3), (4, 2), (2, 1)):
            with self.subTest(first=first, second=second):
                name = f"from{first}to{second}"
                config = self.config(name, save=SAVES, log={"sample_ids": True}, model={"dtype": "float64"})
                self.run_program(config, ranks=first, environment={"SFT_FAILPOINTS": "rank=0;trainer.step@13=kill"})
                self.succeed(config, ranks=second)
                ids = {step: sorted(value) for step, value in self.lines(name, "sample_ids").items()}
                self.assertEqual(ids, {step: sorted(value) for step, value in self.lines("straight", "sample_ids").items()})
                for step, value in self.lines("straight").items():
                    self.assertAlmostEqual(self.lines(name)[step], value, delta=1e-11)

    def test_max_time_saves_and_asks_to_be_requeued(self):
        config = self.config("short", train={"num_train_epochs": 2000, "max_time": "4s"}, eval={"eval_strategy": "no"}, save={"save_strategy": "no"})
        done = self.run_program(config)
        self.assertEqual(done.code, 75, done.err)
        self.assertEqual(self.summary("short")["exit_reason"], "max_time")
        self.assertTrue((self.run_dir("short") / f"checkpoint-{self.summary('short')['global_step']}").is_dir())

    def test_flipped_bit_is_quarantined_and_the_one_before_is_used(self):
        self.straight()
        config = self.config("flipped", save=SAVES, log={"sample_ids": True})
        self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=0;trainer.step@13=kill"})
        path = self.run_dir("flipped") / "checkpoint-10" / "model.safetensors"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
        done = self.succeed(config, ranks=2)
        self.assertIn("corrupt", done.err)
        self.assertIn("step 5", done.err)
        self.assert_same_run("flipped")

    def test_retention_keeps_the_newest(self):
        self.straight()
        kept = sorted(int(path.name.split("-")[1]) for path in self.run_dir("straight").glob("checkpoint-*"))
        self.assertEqual(kept, [30, 35, 36])

    def test_what_the_same_command_does_next_is_told_as_it_is(self):
        for name, sections, told in (("usual", {}, "the same command goes on from there (exit 75)"),
                                     ("model", {"save": {**SAVES, "save_only_model": True}}, "the same command is refused"),
                                     ("none", {"top": {"resume_from_checkpoint": "none"}}, "the same command begins anew (exit 75)")):
            with self.subTest(name):
                config = self.config(name, **{"save": SAVES, "train": {"num_train_epochs": 20}, **sections})
                self.assertIn(told, self.signal_at_step(config, 6, name=name).err)
        self.assertEqual(self.run_program(self.home / "model.toml").code, 78)

    def test_going_back_to_an_earlier_checkpoint_leaves_the_later_ones_behind(self):
        config = self.config(save={**SAVES, "save_total_limit": 3}, train={"num_train_epochs": 20, "max_steps": 30})
        self.succeed(config)
        back = f"resume_from_checkpoint={self.run_dir() / 'checkpoint-20'}"
        stopped = self.run_program(config, back, ranks=2, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"})
        self.assertNotEqual(stopped.code, 0)
        self.assertEqual((self.run_dir() / "latest").read_text(), "checkpoint-25\n")
        self.assertTrue((self.run_dir() / "checkpoint-30").is_dir())
        self.assertIn("checkpoint-25 at step 25", self.succeed(config, ranks=2).err)

    def test_changed_training_keys_are_refused_by_name(self):
        config = self.config("changed", save=SAVES)
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"})
        done = self.run_program(config, "optim.learning_rate=1e-3")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("optim.learning_rate", done.err)
        self.succeed(config, "train.num_train_epochs=4", "eval.eval_strategy=no")

    def test_a_run_without_memory_enough_goes_on_with_gradient_checkpointing_in_the_same_bits(self):
        self.straight()
        config = self.config("short", save=SAVES, log={"sample_ids": True})
        self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@18=kill"})
        self.succeed(self.config("short", save=SAVES, log={"sample_ids": True}, train={"gradient_checkpointing": True}), ranks=2)
        self.assert_same_run("short")

    def test_finished_run_says_so(self):
        self.straight()
        done = self.succeed(self.home / "straight.toml", ranks=2)
        self.assertIn("finished already", done.err)

    def test_run_directory_in_use_is_refused(self):
        config = self.config("held", train={"num_train_epochs": 1000})
        holder = subprocess.Popen(self.command(config), stderr=subprocess.DEVNULL, env=os.environ)
        try:
            while not (self.run_dir("held") / "metrics.jsonl").exists():
                time.sleep(0.05)
            done = self.run_program(config)
            self.assertEqual(done.code, 77, done.err)
            self.assertIn(str(holder.pid), done.err)
        finally:
            holder.send_signal(signal.SIGKILL)
            holder.wait()


if __name__ == "__main__":
    unittest.main()
