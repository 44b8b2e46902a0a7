"""Sums over ranks beside the backward pass, where a rank has a core more than it computes on."""
import json
import os
import subprocess
import sys
import unittest

from harness import EndToEnd, read_rows


def cores():
    """That the system calls so, and that a container's limit leaves."""
    try:
        quota, period = open("/sys/fs/cgroup/cpu.max", encoding="utf-8").read().split()
    except OSError:
        quota = "max"
    allowed = len(os.sched_getaffinity(0))
    return allowed if quota == "max" else min(allowed, int(quota) // int(period))


if cores() < 4:
    print("two ranks with a core left each want four cores: nothing was tested")
    sys.exit(77)


class Overlap(EndToEnd):
    def spans(self, name, *mpi_options):
        # Small buckets, so that the first ones are full long before the last gradient is there.
        config = self.config(name, top={"threads": 1}, train={"num_train_epochs": 2}, comm={"bucket_bytes": 4096}, log={"trace": 3})
        command = self.command(config, ranks=2)
        command[1:1] = mpi_options
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [event for event in json.loads((self.run_dir(name) / "trace.json").read_text())["traceEvents"] if event["ph"] == "X"]

    def test_buckets_leave_during_backward_and_change_nothing(self):
        beside, at_the_end = self.spans("beside", "--bind-to", "none"), self.spans("at_the_end", "--bind-to", "hwthread")
        self.assertNotIn("sum over ranks", {event["name"] for event in at_the_end})
        for rank in (0, 1):
            sums = [event for event in beside if event["pid"] == rank and event["name"] == "sum over ranks"]
            passes = [event for event in beside if event["pid"] == rank and event["name"] == "backward"]
            self.assertNotIn(passes[0]["tid"], {event["tid"] for event in sums})
            within = [event for event in sums if any(one["ts"] <= event["ts"] <= one["ts"] + one["dur"] for one in passes)]
            self.assertTrue(within)  # most of them on a machine with cores enough; at the end there is none
        self.assertEqual(read_rows(self.run_dir("beside") / "predictions.jsonl"), read_rows(self.run_dir("at_the_end") / "predictions.jsonl"))


if __name__ == "__main__":
    unittest.main()
