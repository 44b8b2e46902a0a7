"""A batch job as a user submits and watches it."""
import json
import os
import pathlib
import time

from cluster import call
from harness import PROGRAM, EndToEnd

TEMPLATES = pathlib.Path(__file__).parents[2] / "slurm"
LAST_STATES = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED")


class Job:
    def __init__(self, number, log):
        self.number, self.log = number, log

    def facts(self):
        """What `scontrol show job` says of it."""
        words = call("scontrol", "show", "job", self.number, "-o").stdout.split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def state(self):
        return self.facts().get("JobState", "unknown")

    def restarts(self):
        return int(self.facts()["Restarts"])

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_until(self, is_so, what, seconds=120):
        deadline = time.time() + seconds
        while not is_so():
            if time.time() > deadline:
                raise AssertionError(f"job {self.number} did not come to {what} in {seconds} s: {self.facts()}\n{self.text()}")
            time.sleep(0.1)

    def wait_for_end(self, seconds=120):
        self.wait_until(lambda: self.state() in LAST_STATES, "an end", seconds)
        return self.state()

    def processes(self):
        """(process, its name, its environment) of all that the job runs on this host, which is all nodes."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                name = (process / "comm").read_text().strip()
                variables = dict(entry.split("=", 1) for entry in (process / "environ").read_text().split("\0") if "=" in entry)
            except OSError:
                continue  # it has ended
            if variables.get("SLURM_JOB_ID") == self.number:
                yield int(process.name), name, variables

    def names(self):
        return sorted(name for _, name, _ in self.processes())

    def ranks(self):
        """{rank: process} of the program's processes."""
        return {int(variables.get("OMPI_COMM_WORLD_RANK", variables["SLURM_PROCID"])): process for process, name, variables in self.processes() if name == "sft-dist"}


class BatchTest(EndToEnd):
    """Jobs of two ranks with a thread each, so that a run can be compared bitwise with an undisturbed one."""

    def setUp(self):
        super().setUp()
        self.jobs = []
        self.addCleanup(self.cancel_all)

    def cancel_all(self):
        call("scancel", "--user=root")
        deadline = time.time() + 60
        while call("squeue", "--noheader").stdout.strip() and time.time() < deadline:
            time.sleep(0.2)

    def config(self, name="run", **sections):
        return super().config(name, **{**sections, "top": {"threads": 1, **sections.get("top", {})}})

    def submit(self, script, *arguments, options=(), **environment):
        """sbatch in this test's folder, with the program under test."""
        done = call("sbatch", "--parsable", f"--output={self.home}/job-%j.log", "--time=10", *options, script, *arguments,
                    env={**os.environ, "SFT_DIST": PROGRAM, **environment}, cwd=self.home)
        self.assertEqual(done.returncode, 0, done.stderr)
        number = done.stdout.strip()
        self.jobs.append(Job(number, self.home / f"job-{number}.log"))
        return self.jobs[-1]

    def train(self, config, *overrides, options=(), **environment):
        return self.submit(TEMPLATES / "train.sbatch", config, *overrides, options=options, **environment)

    def step_of(self, name):
        path = self.run_dir(name) / "metrics.jsonl"
        whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")] if path.exists() else []
        return max((json.loads(line)["step"] for line in whole), default=0)

    def wait_for_step(self, job, step, name="run"):
        job.wait_until(lambda: self.step_of(name) >= step, f"step {step}")

    def nodes(self):
        return call("sinfo", "--noheader", "--Node", "--partition=low", "--format=%N").stdout.split()

    def needs_two_nodes(self):
        if len(self.nodes()) < 2:
            self.skipTest("one node here")

    def assert_completed(self, job, seconds=120):
        self.assertEqual(job.wait_for_end(seconds), "COMPLETED", job.text())
        self.assertEqual(job.facts()["ExitCode"], "0:0")

    def assert_failed(self, job, code):
        """The job ended with this code of the program's, and SLURM did not start it again."""
        self.assertEqual(job.wait_for_end(), "FAILED", job.text())
        self.assertEqual(job.facts()["ExitCode"], f"{code}:0", job.text())
        self.assertEqual(job.restarts(), 0)

    def assert_went_on(self, job, name="run"):
        """Started again once, resumed, and ended with the weights of a run that nothing disturbed."""
        self.assert_completed(job)
        self.assertEqual(job.restarts(), 1)
        self.assertIn("resum", job.text())
        self.assert_undisturbed(name)

    def assert_undisturbed(self, name="run"):
        self.assertEqual(self.weights(name), self.undisturbed())

    def undisturbed(self):
        """The weights of an ordinary batch job with the same config."""
        if not hasattr(type(self), "reference"):
            job = self.train(self.config("undisturbed"))
            self.assert_completed(job)
            type(self).reference = self.weights("undisturbed")
        return self.reference
