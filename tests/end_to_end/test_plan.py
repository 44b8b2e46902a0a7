"""What a run would take on other ranks, beside what runs on those ranks then take."""
import json
import os
import re
import unittest

from harness import EndToEnd, make_model, make_rows, write_rows

LINK = ("--latency", "20us", "--bandwidth", "1GB/s")
MIB = 2**20


class Plan(EndToEnd):
    def plan(self, *arguments, **options):
        return json.loads(self.succeed("plan", *arguments, "--json", **options).out)

    def test_counts_what_transformers_counts(self):
        from transformers import AutoModelForSequenceClassification

        model = AutoModelForSequenceClassification.from_pretrained(self.shared / "model")
        parameters = [p.numel() for p in model.parameters()]
        plan = self.plan(self.config(), "--gpus", 4, *LINK)
        memory = plan["memory_bytes"]
        arena = memory["replicated"]["gradients"]
        self.assertGreaterEqual(arena, 4 * sum(parameters))
        self.assertLess(arena, 4 * sum(parameters) + 64 * len(parameters))
        self.assertEqual(memory["replicated"]["moments"], 2 * arena)
        self.assertEqual(memory["zero2"]["moments"], 2 * memory["zero2"]["gradients"])
        self.assertEqual(memory["zero1"]["gradients"], arena)
        self.assertLess(memory["zero1"]["moments"], memory["replicated"]["moments"])
        self.assertEqual((plan["ranks"], plan["rows_per_update"], plan["updates"], plan["updates_per_epoch"]), (4, 8, 36, 12))
        self.assertGreater(plan["seconds"]["waiting"], 0)
        self.assertAlmostEqual(plan["seconds"]["run"], 36 * plan["seconds"]["update"], places=6)
        self.assertFalse(self.run_dir().exists(), "nothing is written")

    def test_sends_what_each_strategy_sends(self):
        """Without links an update's bytes are those of the calls: gradients once, and weights too where they are gathered."""
        arena = self.plan(self.config())["memory_bytes"]["replicated"]["gradients"]
        of = {strategy: self.plan(self.config(parallel={"strategy": strategy}), "--gpus", 2, *LINK)["bytes_between_ranks"] for strategy in ("replicated", "zero1", "zero2")}
        control = 2000  # weights of rows, errors, norms of rows
        self.assertAlmostEqual(of["replicated"], arena, delta=control)
        self.assertAlmostEqual(of["zero1"], 2 * arena, delta=control)
        self.assertAlmostEqual(of["zero2"], 2 * arena, delta=control)

    def test_slower_links_are_waited_for_and_one_rank_waits_for_nobody(self):
        config = self.config()
        self.assertEqual(self.plan(config)["seconds"]["waiting"], 0)
        waiting = [self.plan(config, "--gpus", 2, "--latency", "0us", "--bandwidth", rate)["seconds"]["waiting"] for rate in ("1GB/s", "1MB/s")]
        self.assertAlmostEqual(waiting[1] / waiting[0], 1000, delta=1, msg="nothing goes on beside it on CPU cores")
        across = self.plan(config, "--gpus", 2, "--nodes", 3, *LINK)
        self.assertEqual((across["ranks"], across["nodes"]), (6, 3))
        self.assertIsNone(across["links"]["within_a_node"])

    def test_memory_is_what_runs_on_two_ranks_then_have_resident(self):
        """Without overlap zero2 holds all buckets at the end of the backward pass, in pieces that the allocator places anew each time."""
        write_rows(self.home / "rows.jsonl", make_rows(400, 5))
        for size in (320, 512):
            model = make_model(self.home / f"model-{size}", hidden_size=size, intermediate_size=4 * size, num_hidden_layers=8)
            for strategy in ("replicated", "zero1", "zero2"):
                config = self.config(f"{size}-{strategy}", model={"model_name_or_path": str(model)}, parallel={"strategy": strategy}, train={"num_train_epochs": 1, "global_batch_size": 32},
                                     data={"train_file": str(self.home / "rows.jsonl"), "validation_file": None, "test_file": None}, top={"threads": 1})
                planned = self.plan(config, "--gpus", 2, *LINK, ranks=2)["memory_bytes"][strategy]["peak"] / MIB
                told = self.succeed("check", config, ranks=2).out
                measured = float(re.search(r"memory +([\d.]+) MiB a rank", told)[1])
                with self.subTest(size=size, strategy=strategy, planned=planned, measured=measured):
                    self.assertGreater(planned / measured, 0.8 if strategy == "zero2" else 0.95)
                    self.assertLess(planned / measured, 1.05)

    def test_links_are_timed_where_there_are_ranks(self):
        plan = self.plan(self.config(), ranks=2)
        self.assertEqual(plan["ranks"], 2)
        self.assertGreater(plan["links"]["within_a_node"]["bytes_per_second"], 1e6)
        self.assertGreater(plan["seconds"]["waiting"], 0)
        told = self.succeed("doctor", ranks=2).out
        link = re.search(r"^links +--latency ([\d.e+-]+us) --bandwidth ([\d.e+-]+GB/s), within a node", told, re.M)
        self.assertIsNotNone(link, told)
        self.assertIn("seconds", self.plan(self.config(), "--gpus", 8, "--latency", link[1], "--bandwidth", link[2]))

    def test_bus_bandwidth_is_as_nccls_tests_have_it(self):
        """Of W ranks 2(W-1)/W · bytes / time, of the very sums that doctor tells."""
        told, unit = self.succeed("doctor", ranks=3).out, {"KiB": 2**10, "MiB": 2**20}
        sums = re.findall(r"([\d.]+) (.iB) in ([\d.e+-]+) ms", told)
        rates = re.findall(r"([\d.]+) (.iB) at ([\d.e+-]+)", re.search(r"^bus bandwidth +(.*) GB/s$", told, re.M)[1])
        self.assertGreaterEqual(len(sums), 6)
        self.assertEqual([each[:2] for each in sums], [each[:2] for each in rates])
        for (size, name, milliseconds), (_, _, rate) in zip(sums, rates):
            expected = 4 / 3 * float(size) * unit[name] / float(milliseconds) * 1e-6
            self.assertAlmostEqual(float(rate) / expected, 1, delta=0.02)

    def test_refuses_to_guess(self):
        config = self.config()
        told = self.succeed("plan", config, "--gpus", 8)
        self.assertRegex(told.out, r"time +not told: nothing is known of the links between ranks; start `sft-dist doctor` there on 2 ranks")
        told = self.succeed("plan", config, "--gpus", 8, "--kind", "a100", *LINK)
        self.assertRegex(told.out, r"(?s)fits +yes +yes +yes.*time +not told: no update in float32 was ever timed on a100; benchmarks/gpu.py")
        self.assertIn("seconds", self.plan(config, "--gpus", 8, "--kind", "H100", *LINK))
        self.assertIn("time_refused", self.plan(config, "--gpus", 8, "--kind", "h100", "model.dtype=float64", *LINK))

    def test_says_what_to_change_where_a_run_does_not_fit(self):
        plan = self.plan(self.config(), "--gpus", 16384, *LINK, "train.global_batch_size=16384")
        self.assertFalse(plan["memory_bytes"]["replicated"]["fits"], "a host has no room for so many ranks")
        self.assertTrue(plan["ways_to_fit"])

    def test_sums_in_the_order_of_a_tree_are_not_planned(self):
        done = self.run_program("plan", self.config(top={"deterministic": True}), "--gpus", 4)
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("deterministic", done.err)

    def test_wrong_options_are_told(self):
        config = self.config()
        for options, word in ((["--gpus", "0"], "--gpus"), (["--nodes", "-2"], "--nodes"), (["--gpus", "65536", "--nodes", "65536"], "65536"), (["--kind", "z80"], "h100"), (["--latency", "20us"], "--bandwidth"),
                              (["--latency", "20us", "--bandwidth", "-5GB/s"], "--bandwidth"), (["--latency", "20", "--bandwidth", "5GB/s"], "--latency")):
            done = self.run_program("plan", config, *options)
            self.assertEqual(done.code, 2, done.err)
            self.assertIn(word, done.err)


if __name__ == "__main__":
    unittest.main()
