"""`deterministic = true`: the same bits on a repeat, on 1, 2 and 4 ranks, and after going on with another number of them."""
import unittest

from harness import EndToEnd, read_rows

# What a clock says, and nothing else, may differ between two runs.
TIMES = {"samples_per_second", "tokens_per_second", "gemm_share", "eval_runtime", "eval_samples_per_second"}


class Deterministic(EndToEnd):
    def bits_of(self, name):
        lines = [{k: v for k, v in row.items() if k not in TIMES} for row in read_rows(self.run_dir(name) / "metrics.jsonl")]
        return self.weights(name), lines, (self.run_dir(name) / "predictions.jsonl").read_bytes()

    def same_run(self, name, **sections):
        return self.config(name, top={"deterministic": True}, train={"num_train_epochs": 4, "global_batch_size": 16, "class_weights": "balanced"}, **sections)

    def test_same_bits_on_any_number_of_ranks_and_on_a_repeat(self):
        self.succeed(self.same_run("ranks1"), ranks=1)
        for name, ranks in (("again1", 1), ("ranks2", 2), ("again2", 2), ("ranks4", 4)):
            self.succeed(self.same_run(name), ranks=ranks)
            self.assertEqual(self.bits_of(name), self.bits_of("ranks1"), name)

    def test_goes_on_with_the_same_bits_on_another_number_of_ranks(self):
        saves = {"save_strategy": "steps", "save_steps": 5}
        self.succeed(self.same_run("straight", save=saves), ranks=2)
        config = self.same_run("moved", save=saves)
        self.run_program(config, ranks=4, environment={"SFT_FAILPOINTS": "rank=0;trainer.step@13=kill"})
        self.succeed(config, ranks=1)
        self.assertEqual(self.bits_of("moved"), self.bits_of("straight"))

    def test_a_number_of_ranks_that_cannot_share_the_tree_is_refused(self):
        done = self.run_program(self.same_run("three"), ranks=3)
        self.assertEqual(self.exit_status("three"), 78, done.err)
        self.assertIn("1, 2, 4 or 8 ranks, and there are 3", done.err)


if __name__ == "__main__":
    unittest.main()
