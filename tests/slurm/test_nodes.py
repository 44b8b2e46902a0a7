"""Nodes that fail, or that cannot reach each other, under srun and under mpirun: everything ends, and the run goes on."""
import time
import unittest

from batch import TEMPLATES, BatchTest
from cluster import Cluster, call

SLOW = {"SFT_FAILPOINTS": "trainer.step=sleep:0.2"}
TWO_NODES = ["--nodes=2", "--ntasks-per-node=1"]
LIMIT = 5


class Nodes(BatchTest):
    def setUp(self):
        super().setUp()
        self.needs_two_nodes()
        self.cluster = Cluster.running

    def config(self, name="run", **sections):
        return super().config(name, **{"save": {"save_strategy": "steps", "save_steps": 5}, **sections})

    def lose(self, node):
        self.addCleanup(self.cluster.bring_back, node)
        self.cluster.lose(node)

    def mpirun(self):
        """The template with mpirun in the place of srun, as slurm/README.md says it."""
        text = (TEMPLATES / "train.sbatch").read_text()
        srun = """srun --kill-on-bad-exit=1 --mpi=pmix bash -c 'rank "$@"' rank "$program" "$@" &"""
        self.assertEqual(text.count(srun), 1)
        script = self.home / "mpirun.sbatch"
        script.write_text(text.replace(srun, 'mpirun "$program" "$@" &'))
        return script

    def test_the_job_of_a_node_that_fails_goes_on_on_another(self):
        job = self.train(self.config(), **SLOW)
        self.wait_for_step(job, 7)
        node = job.facts()["NodeList"]
        self.lose(node)
        job.wait_until(lambda: job.restarts() == 1 and job.state() == "RUNNING", "its second start", 240)
        self.assertNotEqual(job.facts()["NodeList"], node)
        self.assert_went_on(job)

    def test_a_node_of_two_that_fails_is_waited_for(self):
        job = self.train(self.config(), options=TWO_NODES, **SLOW)
        self.wait_for_step(job, 7)
        node = next(node for node in self.nodes() if node != job.facts()["BatchHost"])
        self.lose(node)
        job.wait_until(lambda: job.restarts() == 1, "its end", 240)
        self.cluster.bring_back(node)
        self.assert_went_on(job)

    def test_mpirun_over_two_nodes_stops_and_goes_on(self):
        script = self.mpirun()
        job = self.submit(script, self.config(), options=TWO_NODES, **SLOW)
        self.wait_for_step(job, 7)
        self.assertEqual(sorted(job.ranks()), [0, 1])
        call("scancel", "--signal=USR2", "--batch", job.number)
        self.assert_went_on(job)
        self.assertEqual(self.summary()["world_size"], 2)

    def test_preempted_mpirun_over_two_nodes_makes_room_and_goes_on(self):
        job = self.submit(self.mpirun(), self.config(), options=TWO_NODES, SFT_FAILPOINTS="trainer.step=sleep:1")
        self.wait_for_step(job, 2)
        self.assert_completed(self.train(self.config("high"), options=["--partition=high", "--nodes=2", "--ntasks-per-node=2"]))
        self.assert_went_on(job)

    def ends_everywhere(self, script, within):
        config = self.config(comm={"timeout_seconds": LIMIT})
        job = self.submit(script, config, options=TWO_NODES, **SLOW)
        self.wait_for_step(job, 7)
        far = next(node for node in self.nodes() if node != job.facts()["BatchHost"])
        self.addCleanup(self.cluster.bring_back, far)
        self.cluster.network.cut_off(far)
        cut = time.time()
        job.wait_until(lambda: not job.ranks(), "an end of its ranks", LIMIT + 10)
        print(f"ranks ended after {time.time() - cut:.1f} s", end=", ", flush=True)
        while time.time() < cut + within and job.names():
            time.sleep(0.2)
        self.assertEqual(job.names(), [], "what runs on")
        print(f"all after {time.time() - cut:.1f} s", end=" ... ", flush=True)
        self.assertEqual(job.wait_for_end(), "FAILED", job.text())
        self.assertEqual(job.facts()["ExitCode"], "76:0", job.text())
        self.assertRegex(job.text(), r"late: .*look at node")
        self.cluster.bring_back(far)
        again = self.submit(script, config, options=TWO_NODES)
        self.assert_completed(again)
        self.assertIn("resumed from", again.text())
        self.assert_undisturbed()

    def test_a_partition_ends_a_job_of_srun_everywhere(self):
        self.ends_everywhere(TEMPLATES / "train.sbatch", 60)

    def test_a_partition_ends_a_job_of_mpirun_everywhere(self):
        self.ends_everywhere(self.mpirun(), 60)


if __name__ == "__main__":
    unittest.main()
