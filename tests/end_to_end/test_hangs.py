"""A rank that no longer comes is named with its step and phase, in every phase of every command, and the job ends with 76
within comm.timeout_seconds + 2 s; a rank that works is waited for, however long it takes."""
import os
import signal
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import LABELS, EndToEnd, end_job, make_rows, write_rows
from test_language_models import make_chat_model, make_chats

LIMIT = 3


def state_of(process):
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


class Hangs(EndToEnd):
    def config(self, name="run", **sections):
        sections["comm"] = {"timeout_seconds": LIMIT}
        sections["save"] = {"save_strategy": "steps", "save_steps": 5, **sections.get("save", {})}
        return super().config(name, **sections)

    def stopped_at(self, failpoint, *arguments, rank=1, ranks=3, code=76):
        """The line that names the late rank, once a failpoint has stopped one: told in time, with 76, or the code of what came before."""
        process = subprocess.Popen(self.command(*arguments, ranks=ranks), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "SFT_FAILPOINTS": f"rank={rank};{failpoint}=stop"})
        self.addCleanup(end_job, process)
        deadline = time.time() + 60
        while process.poll() is None and time.time() < deadline and not any(state_of(one) == "T" for one in self.ranks_of(process.pid)):
            time.sleep(0.02)
        since, said = time.time(), []
        for line in process.stderr:
            said.append(line)
            if "late: " in line:
                told = time.time() - since
                break
        self.assertTrue(said and "late: " in said[-1], f"{failpoint}: nobody was named: {''.join(said)}")
        self.assertLess(told, LIMIT + 2, said[-1])
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, code, said)
        return said[-1]

    def told_of_each(self, cases):
        """What stopped_at() gives of each case (failpoint, rank, pattern, command). Two jobs at a time: most of it is waiting."""
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(self.stopped_at, failpoint, *command, rank=rank) for failpoint, rank, _, command in cases]
        for (failpoint, _, pattern, command), job in zip(cases, jobs):
            with self.subTest(failpoint=failpoint, command=command):
                self.assertRegex(job.result(), pattern)

    def test_start_and_connection(self):
        in_start = r"late: rank 1, host .*, in start, stopped; others wait"
        commands = [(failpoint, 1, in_start, (*command, self.config(f"{failpoint}{len(command)}".replace(".", "-"))))
                    for failpoint in ("job.start", "job.join") for command in ((), ("prepare",))]
        self.told_of_each([*commands, ("job.connect", 1, r"late: rank 1, .* in connect, not responding", (self.config("connect"),))])

    def test_the_end_after_an_error_of_all(self):
        said = self.stopped_at("job.end", self.config(), "comm.backend=nccl", "device=cpu", code=78)
        self.assertRegex(said, r"late: rank 1, host .*, in end, stopped; others wait in end")

    def test_phases_of_training(self):
        # On one rank a piece of the prepared data, the export and the manifest are made, while the others wait.
        cases = {"prepare.shard": (0, "in prepare"), "model.load": (1, "in load"), "trainer.step@3": (1, "step 3 in step"), "evaluation.batch": (2, "step 12 in evaluation"),
                 "checkpoint.before_write": (1, "step 5 in save"), "checkpoint.after_write": (2, "step 5 in save"), "checkpoint.before_manifest": (0, "step 5 in save"), "model.export": (0, "step 36 in export")}
        names = {failpoint: failpoint.replace(".", "-").replace("@", "-") for failpoint in cases}
        self.told_of_each([(failpoint, rank, rf"late: rank {rank}, host .*, {told}, not responding; others at sequence \d+",
                            (self.config(names[failpoint], data={"prepared_dir": str(self.home / f"prepared-{names[failpoint]}")}),)) for failpoint, (rank, told) in cases.items()])
        for name in names.values():
            self.assertEqual(self.exit_status(name), 76)

    def test_rows_that_one_rank_reads_again(self):
        noisy = [{**row, "label": row["label"] if i % 4 else LABELS[i % 3]} for i, row in enumerate(make_rows(90, 9))]
        write_rows(self.home / "noisy.jsonl", noisy)
        data = {"train_file": str(self.home / "noisy.jsonl"), "test_file": None}
        margins, mistakes = (self.config(name, data=data, train={"num_train_epochs": 1, "record_margins": name == "margins"}) for name in ("margins", "mistakes"))
        self.told_of_each([("rows.read_again", 0, r"late: rank 0, host .*, step 12 in margins, not responding; others at", (margins,)),
                           ("rows.read_again", 0, r"late: rank 0, host .*, step 12 in report, not responding; others at", (mistakes,))])
        self.assertIn("mistakes", self.summary("mistakes")["metrics"]["details"])  # what had been left stands
        # 41 rows of validation and up to 90 of training, a tenth of a second each.
        began = time.time()
        self.succeed(self.config("slow", data=data, train={"num_train_epochs": 1, "record_margins": True}), ranks=3, environment={"SFT_FAILPOINTS": "rows.read_again=sleep:0.1"})
        self.assertGreater(time.time() - began, 2 * LIMIT)
        self.assertTrue((self.run_dir("slow") / "report.html").exists())

    def test_resuming(self):
        config = self.config()
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"})
        self.assertRegex(self.stopped_at("checkpoint.read", config), r"late: rank 1, .* in resume, not responding")
        self.assertEqual(self.succeed(config, ranks=3).code, 0)

    def test_other_commands(self):
        config = self.config(train={"max_steps": 2})
        self.succeed(config)
        run, out = self.run_dir(), self.home / "out.jsonl"
        cases = (("prepare.shard", "in prepare", ("prepare", config, f"data.prepared_dir={self.home / 'p'}")), ("evaluation.batch", "in evaluation", ("evaluate", run)),
                 ("evaluation.batch", "in prediction", ("predict", run, "--input", self.shared / "train.jsonl", "--output", out)),
                 ("model.export", "in export", ("export", run, "--output", self.home / "model")),
                 ("trainer.step@2", "step 2 in step", ("find-lr", config, "--output", self.home / "page.html")))
        self.told_of_each([(failpoint, 0, rf"late: rank 0, .*, {told}, not responding", command) for failpoint, told, command in cases])

    def test_generation(self):
        make_chat_model("llama", self.home / "llama")
        write_rows(self.home / "chats.jsonl", make_chats(20, 1))
        chats = str(self.home / "chats.jsonl")
        config = self.config(model={"model_name_or_path": str(self.home / "llama"), "task": "causal_lm"}, data={"train_file": chats, "validation_file": chats, "test_file": None, "max_length": 96},
                             eval={"generate": True, "max_generate_samples": 9}, generate={"max_new_tokens": 12}, train={"max_steps": 3})
        self.assertRegex(self.stopped_at("generation.batch", config), r"late: rank 1, .*, step 3 in generation, not responding")

    def test_a_stop_from_outside(self):
        write_rows(self.home / "many.jsonl", make_rows(200, 9) * 300)
        config = self.config(data={"train_file": str(self.home / "many.jsonl"), "validation_file": None, "test_file": None, "prepared_dir": str(self.home / "p")})
        process = subprocess.Popen(self.command("prepare", config, ranks=2), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(end_job, process)
        while process.poll() is None and not list(self.home.glob("p/*.partial-*")):
            time.sleep(0.01)
        os.kill(self.ranks_of(process.pid)[1], signal.SIGSTOP)
        since = time.time()
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 76, said)
        self.assertRegex(said, r"late: rank 1, host .*, in prepare, not responding")
        self.assertLess(time.time() - since, LIMIT + 4)  # the launcher's own second and more are in it

    def test_a_rank_that_works_is_waited_for(self):
        # One rank evaluates for twice the limit while the others wait: 0.5 s a batch.
        config = self.config(train={"max_steps": 2}, eval={"per_device_eval_batch_size": 1}, data={"test_file": None})
        began = time.time()
        self.succeed(config, ranks=3, environment={"SFT_FAILPOINTS": "rank=1;evaluation.batch=sleep:0.5"})
        self.assertGreater(time.time() - began, 2 * LIMIT)

    def test_a_rank_that_only_sleeps_is_named(self):
        done = self.run_program(self.config(), ranks=3, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@4=sleep:60"})
        self.assertEqual(done.code, 76, done.err)
        self.assertRegex(done.err, r"late: rank 1, host .*, step 4 in step; others at sequence")

    def test_a_job_that_was_suspended_goes_on(self):
        config = self.config()
        process = subprocess.Popen(self.command(config, ranks=2), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "SFT_FAILPOINTS": "trainer.step=sleep:0.1"})
        self.addCleanup(end_job, process)
        while process.poll() is None and not (self.run_dir() / "metrics.jsonl").exists():
            time.sleep(0.02)
        ranks = self.ranks_of(process.pid)
        self.assertEqual(len(ranks), 2)
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for rank in ranks:
                os.kill(rank, number)
            if number == signal.SIGSTOP:
                time.sleep(2 * LIMIT)
                self.assertEqual([state_of(rank) for rank in ranks], ["T", "T"])
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, said)


if __name__ == "__main__":
    unittest.main()
