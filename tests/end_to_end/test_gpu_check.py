"""tools/gpu_check/run.sh, whole, on four GPUs that need no GPU (tests/simulated_gpu); and what it says where something is wrong."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import PROGRAM

BUILD = pathlib.Path(PROGRAM).resolve().parent
SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "tools" / "gpu_check"
PARITY = ("text, float64", "text, float32", "text, bfloat16", "resnet, float64", "resnet, float32", "vit, bfloat16")
FAULTS = ("a rank is stopped (SIGSTOP)", "a rank is killed (SIGKILL)", "buckets of two sizes, by config", "a bucket that is short on a rank")
# Which checks there are, and on how many ranks.
WHOLE = {("doctor", 1), ("kernels against the CPU's", 1), *((check, 2) for check in FAULTS), ("saved on 4, killed, resumed", 2), ("saved on 4, killed, resumed", 1),
         *((check, ranks) for check in ("collectives", "memory beside plan", "weak scaling", *PARITY) for ranks in (1, 2, 4, 8)),
         *((check, ranks) for check in ("bus bandwidth of sums", "strong scaling") for ranks in (2, 4, 8))}


class GpuCheck(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sft-gpu-check-"))
        self.addCleanup(shutil.rmtree, self.home)

    def started(self, *options, scripts=SCRIPTS, simulated=True, **environment):
        no_python = self.home / "bin"
        no_python.mkdir(exist_ok=True)
        for name in ("python", "python3", "curl", "wget"):
            (no_python / name).write_text(f"#!/bin/sh\ntouch {self.home}/called\nexit 99\n")
            (no_python / name).chmod(0o755)
        variables = {**os.environ, "PATH": f"{no_python}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1", "OMPI_MCA_mpi_yield_when_idle": "1", **environment}
        if simulated:
            variables["LD_LIBRARY_PATH"] = f"{BUILD / 'simulated_gpu'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
        return subprocess.Popen([scripts / "run.sh", "--program", PROGRAM, "--tests", BUILD / "tests", "--output", self.home / "out", "--small", *options], env=variables, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def check(self, *options, **how):
        """How it ended, {(check, ranks): row}, and all of the JSON."""
        return self.told_by(self.started(*options, **how))

    def told_by(self, process):
        out, err = process.communicate(timeout=800)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        self.assertFalse((self.home / "called").exists(), "it asked for Python or a network")
        told = json.loads((self.home / "out/gpu_check.json").read_text())
        self.assertEqual((told["passed"], told["failed"], told["not_here"]), tuple(sum(row["result"] == result for row in told["rows"]) for result in ("pass", "fail", "not here")))
        self.assertEqual(len(told["rows"]), len(done.stdout.splitlines()) - 3, "a line of the table each, its head, and a word at the end")
        return done, {(row["check"], row["ranks"]): row for row in told["rows"]}, told

    def broken(self, file, right, wrong):
        """A copy of the scripts with a wrong edit."""
        copy = self.home / "gpu_check"
        shutil.copytree(SCRIPTS, copy)
        text = (copy / file).read_text()
        self.assertEqual(text.count(right), 1)
        (copy / file).write_text(text.replace(right, wrong))
        return copy

    def test_the_whole_on_four_simulated_devices(self):
        done, rows, told = self.check("--devices", "4")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(set(rows), WHOLE)
        for (check, ranks), row in rows.items():
            with self.subTest(check=check, ranks=ranks):
                self.assertEqual(row["result"], "pass" if ranks <= 4 else "not here", row["detail"])
                if ranks > 4:
                    self.assertEqual(row["detail"], "needs 8 devices, 4 are here")
        self.assertEqual((told["simulated"], told["small"], told["devices"]), (True, True, 4))
        for check in PARITY[:4:3]:
            self.assertLess(rows[check, 4]["values"]["worst"], 1e-12)
        self.assertIn("20 tests", rows["collectives", 4]["detail"])
        self.assertRegex(rows["bus bandwidth of sums", 4]["values"]["all"], r"^4\.0 KiB at [\d.e-]+, .*4\.0 MiB at [\d.e-]+.* GB/s$")
        self.assertIn("late: rank 1", rows[FAULTS[0], 2]["detail"])
        self.assertGreater(rows["weak scaling", 4]["values"]["milliseconds"], 0)
        memory = rows["memory beside plan", 2]["values"]
        self.assertAlmostEqual(memory["planned_mib"] / memory["measured_mib"], 1, delta=0.1)

    def test_a_rank_that_dies_fails_its_rows_alone(self):
        done, rows, _ = self.check("--devices", "2", "--only", "resume", SFT_FAILPOINTS="rank=0;trainer.step@3=throw")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(rows["text on CPU cores", 1]["result"], "fail")
        done, rows, _ = self.check("--devices", "2", "--only", "scaling", SFT_FAILPOINTS="rank=1;trainer.step@3=kill")
        self.assertEqual(done.returncode, 1, done.stdout)
        results = {key: row["result"] for key, row in rows.items() if key[1] <= 2}
        self.assertEqual(results, {("doctor", 1): "pass", ("weak scaling", 1): "pass", ("weak scaling", 2): "fail", ("strong scaling", 2): "fail"})

    def test_losses_that_are_others_fail(self):
        # The devices train at another rate than the CPU does.
        copy = self.broken("parity.sh", 'model.dtype="$dtype" ', 'model.dtype="$dtype" optim.learning_rate=4e-3 ')
        done, rows, _ = self.check("--devices", "1", "--only", "parity", scripts=copy)
        self.assertEqual(done.returncode, 1, done.stdout)
        for check in PARITY:
            self.assertEqual(rows[check, 1]["result"], "fail", rows[check, 1])
            self.assertIn("losses differ by", rows[check, 1]["detail"])

    def test_a_hang_is_ended_and_fails(self):
        copy = self.broken("faults.sh", "comm.timeout_seconds=$fault_limit", "comm.timeout_seconds=100")
        (copy / "job.sh").write_text((copy / "job.sh").read_text().replace("job_limit=120", "job_limit=12"))
        done, rows, _ = self.check("--devices", "2", "--only", "faults", scripts=copy)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("ends with 124, not 76", rows[FAULTS[0], 2]["detail"])
        self.assert_nothing_runs()

    def test_a_signal_ends_its_job_and_leaves_a_report(self):
        process = self.started("--devices", "1", "--only", "scaling")
        while process.poll() is None and not (self.home / "out/gpu_check_work/logs/speed-1.out").exists():
            time.sleep(0.02)
        process.terminate()
        done, rows, _ = self.told_by(process)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(rows["stopped by a signal", 0]["result"], "fail")
        self.assertNotIn(("weak scaling", 1), rows)
        self.assert_nothing_runs()

    def assert_nothing_runs(self):
        left = subprocess.run(["pgrep", "-f", str(self.home)], capture_output=True, text=True).stdout
        self.assertEqual(left, "", "processes outlive the script")

    def test_a_job_that_time_cut_off_is_no_failure(self):
        copy = self.broken("job.sh", "limit=$(seconds_left) is_short=yes", "limit=0 is_short=yes")
        (copy / "job.sh").write_text((copy / "job.sh").read_text().replace('[ "$limit" -le "$(seconds_left)" ]', '[ "${name%%-*}" != speed ]'))
        done, rows, _ = self.check("--devices", "1", "--only", "scaling", scripts=copy)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual((rows["weak scaling", 1]["result"], rows["weak scaling", 1]["detail"]), ("not here", "the 10 minutes were over meanwhile"))

    def test_a_folder_of_somebody_is_not_removed(self):
        kept = self.home / "out/gpu_check_work/kept"
        kept.parent.mkdir(parents=True)
        kept.touch()
        done = subprocess.run([SCRIPTS / "run.sh", "--program", PROGRAM, "--output", self.home / "out"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("not of an earlier check", done.stderr)
        self.assertTrue(kept.exists())

    def test_without_a_gpu_nothing_has_passed(self):
        done, rows, told = self.check(simulated=False, CUDA_VISIBLE_DEVICES="")
        self.assertEqual(done.returncode, 77, done.stdout)
        self.assertEqual([row["result"] for row in rows.values()], ["not here"])
        self.assertIn("no GPU: ", rows["doctor", 1]["detail"])
        self.assertEqual(told["passed"], 0)

    def test_time_that_is_over_is_no_pass(self):
        done, rows, _ = self.check("--devices", "1", "--only", "scaling", scripts=self.broken("report.sh", '"$(seconds_left)" -le 0', '"$(seconds_left)" -le 600'))
        self.assertEqual(rows["weak scaling", 1]["result"], "not here")
        self.assertIn("minutes were over", rows["weak scaling", 1]["detail"])


if __name__ == "__main__":
    unittest.main()
