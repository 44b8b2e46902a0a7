"""Ranks on two nodes, each with a network and a host name of its own, over real TCP."""
import os
import pathlib
import subprocess
import sys
import unittest

from harness import PROGRAM, EndToEnd

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "nodes"))
from network import Network, Refused  # noqa: E402

NODES = {"nodes": ["n0", "n1"], "prefix": "sfttest", "bridge": "sfttestbridge", "subnet": "10.79.0"}
try:
    with Network(**NODES):
        pass
except Refused as refusal:
    print(f"no namespaces here, so nothing was tested: {refusal}")
    sys.exit(77)


class TwoNodes(EndToEnd):
    def setUp(self):
        super().setUp()
        self.network = self.enterContext(Network(**NODES))

    def over_nodes(self, ranks, *arguments):
        done = subprocess.run([*map(str, self.network.mpirun(self.home / "agent.sh", ranks)), PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_leave_the_bits_of_one_node(self):
        told = self.over_nodes(2, "train", self.config("far", top={"threads": 1}))
        self.assertIn("2 nodes", told.stderr)
        self.succeed(self.config("near", top={"threads": 1}), ranks=2)
        self.assertEqual(self.weights("far"), self.weights("near"))
        for strategy in ("zero1", "zero2"):
            self.over_nodes(2, "train", self.config(strategy, top={"threads": 1}, parallel={"strategy": strategy}))
            self.assertEqual(self.weights(strategy), self.weights("near"), strategy)

    def test_of_two_ranks_each_resume_what_one_node_began(self):
        constant = {"lr_scheduler_type": "constant"}  # else more epochs are another schedule
        self.succeed(self.config("run", train={"num_train_epochs": 1}, scheduler=constant), ranks=3)
        self.over_nodes(4, "train", self.config("run", train={"num_train_epochs": 2}, scheduler=constant))
        self.succeed(self.config("whole", train={"num_train_epochs": 2}, scheduler=constant))
        for step, loss in self.lines("whole").items():
            self.assertAlmostEqual(self.lines("run")[step], loss, places=4, msg=str(step))


if __name__ == "__main__":
    unittest.main()
