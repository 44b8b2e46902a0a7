"""srun with PMIx places the ranks in one world; any other start of several ranks is refused."""
import os
import unittest

from batch import BatchTest
from cluster import call
from harness import PROGRAM


class Placement(BatchTest):
    def placed(self, job):
        """What `doctor` says of the ranks."""
        self.assert_completed(job)
        (line,) = [line for line in job.text().splitlines() if line.startswith("host:local rank")]
        return [place.strip() for place in line.removeprefix("host:local rank").split(",")]

    def test_tasks_of_a_node_are_one_world(self):
        job = self.train(self.config())
        self.assert_completed(job)
        self.assertEqual(self.summary()["world_size"], 2)
        self.assertEqual(job.text().count("rows on 2 ranks"), 1, "one world, not two of one")
        self.assertEqual(self.exit_status(), 0)
        self.assertEqual(list(self.home.glob(".sft-exit*")), [])

    def test_tasks_of_two_nodes_are_one_world(self):
        self.needs_two_nodes()
        job = self.train(self.config(), options=["--nodes=2", "--ntasks-per-node=1"])
        self.assert_completed(job)
        self.assertEqual(self.summary()["world_size"], 2)
        self.assert_undisturbed()

    def test_ranks_know_their_node_and_local_rank(self):
        self.needs_two_nodes()
        self.assertEqual(self.placed(self.train("doctor", options=["--nodes=2", "--ntasks-per-node=2"])),
                         ["node0:0", "node0:1", "node1:0", "node1:1"])
        self.assertEqual(self.placed(self.train("doctor", options=["--nodes=2", "--ntasks-per-node=2", "--distribution=cyclic"])),
                         ["node0:0", "node1:0", "node0:1", "node1:1"])

    def test_a_task_gets_the_cores_that_were_asked_for(self):
        job = self.train("doctor", options=["--ntasks-per-node=1", "--cpus-per-task=2"])
        self.assert_completed(job)
        (threads,) = [line.split()[-1] for line in job.text().splitlines() if line.startswith("threads a rank")]
        self.assertEqual(threads, "2")

    # Seen to fail while every rank told the refusal.
    def test_srun_without_pmi_is_refused(self):
        done = call("srun", "--ntasks=2", "--mpi=none", PROGRAM, self.config("none"), env=os.environ, cwd=self.home)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertEqual(done.stderr.count("srun --mpi=pmix"), 1, done.stderr)
        self.assertFalse(self.run_dir("none").exists())

    # PMI 2 is MPICH's: one world of two under an MPICH that speaks it, else an error, and never two worlds.
    def test_srun_with_pmi2_makes_one_world_or_none(self):
        done = call("srun", "--ntasks=2", "--mpi=pmi2", PROGRAM, "doctor", env=os.environ, cwd=self.home)
        ranks = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("ranks")]
        self.assertEqual(ranks, ["2"] if done.returncode == 0 else [], done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
