"""Files, memory and standard output that fail under a running job: told by name and code, nothing lost without a word."""
import json
import os
import resource
import shutil
import socket
import subprocess
import time
import unittest

from harness import PROGRAM, EndToEnd, make_rows, write_rows


class Storage(EndToEnd):
    def started(self, config, until, ranks=1):
        """A run that goes slowly from its tenth step on, begun and seen to satisfy `until`."""
        process = subprocess.Popen(self.command(config, ranks=ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "SFT_FAILPOINTS": "trainer.step=sleep:0.02"})
        deadline = time.time() + 60
        while not until():
            self.assertLess(time.time(), deadline)
            self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else "")
            time.sleep(0.02)
        return process

    def steps_told(self, name="run"):
        path = self.run_dir(name) / "metrics.jsonl"
        return path.exists() and path.read_text().count('"loss"') >= 3

    def long_run(self, **sections):
        sections = {"train": {"num_train_epochs": 60}, "save": {"save_strategy": "no"}, **sections}
        sections["data"] = {"prepared_dir": str(self.home / "prepared"), **sections.get("data", {})}
        return self.config(**sections)

    def expect_cut_short(self, files, config, ranks):
        process = self.started(config, self.steps_told, ranks)
        for path in files():
            os.truncate(path, 4096)
        _, err = process.communicate(timeout=60)
        errors = [line for line in err.splitlines() if "error:" in line]
        self.assertEqual(self.exit_status(), 79, err)
        self.assertTrue(errors and all("cut short" in line for line in errors), err)
        self.assertTrue(any(path.name in errors[0] for path in files()), err)
        if ranks == 1:
            self.assertEqual(process.returncode, 79, err)

    def test_shards_cut_short_under_a_run(self):
        rows = make_rows(4000, 9)  # of which a run reads other pages than those it has read already
        write_rows(self.home / "many.jsonl", rows)
        for ranks in (1, 2):
            shutil.rmtree(self.home / "prepared", ignore_errors=True)
            shutil.rmtree(self.run_dir(), ignore_errors=True)
            config = self.long_run(data={"train_file": str(self.home / "many.jsonl"), "validation_file": None, "test_file": None})
            self.expect_cut_short(lambda: list((self.home / "prepared").rglob("*.h5")), config, ranks)

    def test_activation_cache_cut_short_under_a_run(self):
        frozen = self.long_run(freeze={"freeze": ["bert"], "cache": "disk"}, data={"validation_file": None, "test_file": None}, train={"num_train_epochs": 1})
        self.succeed(frozen)
        shutil.rmtree(self.run_dir())
        frozen = self.long_run(freeze={"freeze": ["bert"], "cache": "disk"}, data={"validation_file": None, "test_file": None}, train={"num_train_epochs": 200})
        self.expect_cut_short(lambda: list(self.home.rglob("activations-*.safetensors")), frozen, 1)

    def test_too_little_memory_has_one_code(self):
        """Whatever part meets the limit first: the program's own, LibTorch's allocator, oneDNN, the loader's thread."""
        config = self.config(train={"global_batch_size": 40}, top={"threads": 1})
        codes = {}
        for limit in range(300, 700, 20):
            shutil.rmtree(self.run_dir(), ignore_errors=True)
            done = subprocess.run(["prlimit", f"--as={limit << 20}", PROGRAM, str(config)], capture_output=True, text=True, timeout=60)
            codes[limit] = done.returncode
            if done.returncode == 0:
                break
            if done.returncode != 127:  # before the program is loaded, nobody can say anything
                self.assertEqual(done.returncode, 82, f"{limit} MiB: {done.stderr}")
                self.assertIn("out of memory", done.stderr)
        self.assertIn(82, codes.values(), codes)
        self.assertIn(0, codes.values(), codes)

    def test_output_directory_moved_away(self):
        for again in (False, True):
            shutil.rmtree(self.run_dir(), ignore_errors=True)
            process = self.started(self.long_run(train={"num_train_epochs": 12}), self.steps_told)
            self.run_dir().rename(self.home / f"away-{again}")
            if again:
                self.run_dir().mkdir()
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 77, err)
            self.assertIn("moved or replaced", err)
            self.assertFalse((self.run_dir() / "model").exists())

    def test_log_of_the_earlier_start_that_cannot_be_read(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5})
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@12=kill"})
        log = self.run_dir() / "metrics.jsonl"
        log.unlink()
        log.mkdir()
        done = self.succeed(config)
        self.assertIn("metrics.jsonl", done.err)
        self.assertIn("it is kept as", done.err)
        self.assertEqual(len(list(self.run_dir().glob("metrics.jsonl.unread-*"))), 1)

    def test_a_last_checkpoint_that_is_not_saved(self):
        """Is no end of a run: the code says so on all ranks, the model that could be left is there, and the same command goes on."""
        self.succeed(self.config("clean", save={"save_strategy": "steps", "save_steps": 10}))
        for ranks, rank in ((1, ""), (2, "rank=1;")):
            with self.subTest(ranks=ranks):
                name = f"run{ranks}"
                config = self.config(name, save={"save_strategy": "steps", "save_steps": 10})
                done = self.run_program(config, ranks=ranks, environment={"SFT_FAILPOINTS": rank + "checkpoint.after_write@4=errno:28;checkpoint.after_write@4=errno:28"})  # both tries at update 36: the first lets the second not count
                self.assertEqual(self.exit_status(name), 81, done.err)
                if ranks == 1:
                    self.assertEqual(done.code, 81, done.err)
                self.assertIn("the same command goes on from checkpoint-30 (exit 81)", done.err)
                self.assertNotIn("report.html", done.err)
                summary = self.summary(name)
                self.assertEqual((summary["exit_reason"], summary["exit_code"], summary["global_step"]), ("not_saved", 81, 36))
                self.assertIn("could not be saved", (self.run_dir(name) / "report.html").read_text())
                early = self.weights(name)
                done = self.succeed(config, ranks=ranks)
                self.assertIn("resumed from", done.err)
                self.assertIn("at step 30 of 36", done.err)
                self.assertEqual(self.summary(name)["exit_reason"], "finished")
                self.assertTrue((self.run_dir(name) / "checkpoint-36").is_dir())
                self.assertEqual(self.weights(name), early)
        self.assertEqual(self.weights("run1"), self.weights("clean"))

    def test_a_stop_whose_checkpoint_is_not_saved(self):
        """Is not told as one with a checkpoint: 75 would have it requeued."""
        config = self.config(train={"max_time": "4s", "num_train_epochs": 400}, save={"save_strategy": "no"})
        done = self.run_program(config, environment={"SFT_FAILPOINTS": "checkpoint.before_write=errno:28"})
        self.assertEqual((done.code, self.exit_status()), (81, 81), done.err)
        self.assertIn("the same command begins anew", done.err)
        self.assertNotIn("with a checkpoint", done.err)

    def test_a_best_model_that_is_not_saved(self):
        """Is not the one that the run ends with: the best that is on disk is."""
        config = self.config(eval={"load_best_model_at_end": True, "metric_for_best_model": "loss"}, optim={"learning_rate": 1e-3})
        done = self.succeed(config, environment={"SFT_FAILPOINTS": "checkpoint.before_write@2=errno:28;checkpoint.before_write@2=errno:28"})
        self.assertIn("checkpoint-24 was not saved", done.err)
        summary = self.summary()
        losses = self.lines(key="eval_loss")
        best = int(summary["best_model_checkpoint"].removeprefix("checkpoint-"))
        self.assertNotEqual(best, 24)
        self.assertEqual(summary["best_metric"], losses[best])
        self.assertTrue((self.run_dir() / summary["best_model_checkpoint"]).is_dir())

    def test_a_best_model_that_a_second_try_saves(self):
        config = self.config(eval={"load_best_model_at_end": True, "metric_for_best_model": "loss"}, optim={"learning_rate": 1e-3})
        done = self.succeed(config, environment={"SFT_FAILPOINTS": "checkpoint.before_write@2=errno:28"})
        self.assertIn("checkpoint-24 was not saved", done.err)
        losses = self.lines(key="eval_loss")
        self.assertLess(losses[24], losses[12])
        best = min(losses, key=losses.get)
        summary = self.summary()
        self.assertEqual((summary["best_model_checkpoint"], summary["best_metric"]), (f"checkpoint-{best}", losses[best]))
        state = json.loads((self.run_dir() / "checkpoint-24/trainer_state.json").read_text())
        self.assertEqual((state["best_model_checkpoint"], state["best_metric"]), ("checkpoint-24", losses[24]))

    def test_a_best_model_that_is_not_saved_costs_no_other(self):
        """Retention protects the best one that is on disk."""
        config = self.config(eval={"load_best_model_at_end": True, "metric_for_best_model": "loss"}, optim={"learning_rate": 1e-3}, save={"save_strategy": "steps", "save_steps": 4, "save_total_limit": 1})
        failures = "checkpoint.before_write@6=errno:28;checkpoint.before_write@6=errno:28"
        done = self.run_program(config, environment={"SFT_FAILPOINTS": f"{failures};trainer.step@25=kill"})
        self.assertEqual(done.err.count("checkpoint-24 was not saved"), 2, done.err)
        self.assertEqual(sorted(path.name for path in self.run_dir().glob("checkpoint-*")), ["checkpoint-12", "checkpoint-20"])

    def test_passing_failure_to_read_a_checkpoint(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5})
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@12=kill"})
        done = self.succeed(config, environment={"SFT_FAILPOINTS": "checkpoint.read@1=errno:5"})
        self.assertIn("tried again", done.err)
        self.assertEqual(list(self.run_dir().glob("*.corrupt-*")), [])
        self.assertEqual(min(self.lines()), 1)

    def test_leftovers_of_dead_processes(self):
        config = self.config(data={"prepared_dir": str(self.home / "prepared")})
        self.succeed("prepare", config)
        made = next((self.home / "prepared").glob("train*"))
        dead = made.with_name(f"{made.name}.partial-{socket.gethostname()}-4194999")  # above the highest number
        elsewhere = made.with_name(f"{made.name}.partial-elsewhere-1")
        dead.mkdir()
        elsewhere.mkdir()
        self.succeed(config)
        self.assertFalse(dead.exists())
        self.assertTrue(elsewhere.exists())
        torn = self.home / f"exported.tmp-{socket.gethostname()}-4194999"
        torn.mkdir()
        self.succeed("export", self.run_dir(), "--output", self.home / "exported")
        self.assertFalse(torn.exists())
        self.assertEqual([path.name for path in self.run_dir().glob(".lock.*")], [])

    def test_a_limit_of_file_sizes_is_told(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40960, 40960))
        done = subprocess.run(self.command(self.config(train={"max_steps": 2, "num_train_epochs": None})), capture_output=True, text=True, preexec_fn=limit, timeout=120)
        self.assertEqual((done.returncode, self.exit_status()), (81, 81), done.stderr)
        self.assertIn("File too large", done.stderr)

    def test_a_small_stack_is_raised_or_refused(self):
        """Threads have stacks of their own size, and the main one's limit is raised as far as it may be."""
        config = self.config(train={"max_steps": 2, "num_train_epochs": None})
        unprivileged = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"] if os.geteuid() == 0 else []
        unlimited = resource.RLIM_INFINITY
        for soft, hard, code in ((64, None, 0), (64, 64, 82), (256, 2048, 0)):  # KiB
            with self.subTest(soft=soft, hard=hard):
                shutil.rmtree(self.run_dir(), ignore_errors=True)
                limits = (soft << 10, unlimited if hard is None else hard << 10)
                done = subprocess.run([*unprivileged, *self.command(config)], capture_output=True, text=True, timeout=120,
                                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, limits))
                self.assertEqual(done.returncode, code, done.stderr)
                if code:
                    self.assertEqual(done.stderr.count("ulimit -s 8192"), 1, done.stderr)
                    self.assertIn("the stack of a process is limited to 64.0 KiB", done.stderr)

    def test_results_that_do_not_arrive(self):
        config = self.config()
        self.succeed(config)
        commands = [["--help"], ["--version"], ["init"], ["doctor"], ["prepare", config], [config, "--dry-run"], ["evaluate", self.run_dir()],
                    ["inspect", self.run_dir()], ["find-lr", config, "--steps", "10", "--output", self.home / "page.html"]]
        for arguments in commands:
            with open("/dev/full", "w") as full:
                done = subprocess.run(self.command(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual(done.returncode, 81, f"{arguments}: {done.stderr}")
            self.assertIn("standard output", done.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(self.command("evaluate", self.run_dir()), stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
        os.close(writer)
        self.assertEqual(done.returncode, 81, done.stderr)


if __name__ == "__main__":
    unittest.main()
