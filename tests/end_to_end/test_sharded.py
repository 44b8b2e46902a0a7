"""parallel.strategy = "zero1" and "zero2": the numbers of "replicated", and a run that goes on under another strategy on another number of ranks."""
import json
import unittest

from harness import EndToEnd

SAVES = {"save_strategy": "steps", "save_steps": 5}


class Sharded(EndToEnd):
    def config_of(self, name, strategy, **sections):
        sections = {"model": {"dtype": "float64"}, "eval": {"eval_strategy": "no"}, **sections}
        return self.config(name, save=SAVES, log={"sample_ids": True}, parallel={"strategy": strategy}, comm={"bucket_bytes": 30000}, **sections)

    def manifest(self, name, step):
        return json.loads((self.run_dir(name) / f"checkpoint-{step}" / "manifest.json").read_text())

    def test_goes_on_under_any_strategy_on_any_number_of_ranks(self):
        self.succeed(self.config_of("straight", "replicated"))
        for path in ([(4, "zero1", 8), (3, "zero2", 7), (1, "replicated", 8), (2, "zero1", None)], [(1, "zero1", 8), (2, "zero2", None)]):
            with self.subTest(path=path):
                name = "-".join(f"{strategy}on{ranks}" for ranks, strategy, _ in path)
                for ranks, strategy, killed_at in path:
                    config = self.config_of(name, strategy)
                    if killed_at is None:
                        self.succeed(config, ranks=ranks)
                        continue
                    done = self.run_program(config, ranks=ranks, environment={"SFT_FAILPOINTS": f"rank=0;trainer.step@{killed_at}=kill"})
                    self.assertNotEqual(done.code, 0)
                ids = {step: sorted(value) for step, value in self.lines(name, "sample_ids").items()}
                self.assertEqual(ids, {step: sorted(value) for step, value in self.lines("straight", "sample_ids").items()})
                for key in ("loss", "grad_norm"):
                    for step, value in self.lines("straight", key).items():
                        self.assertAlmostEqual(self.lines(name, key)[step], value, delta=1e-11)

    def test_on_one_host_float32_has_the_bits_of_replicated_and_each_rank_writes_its_own(self):
        sections = {"model": {"dtype": "float32"}, "train": {"max_steps": 12}}
        self.succeed(self.config_of("replicated", "replicated", **sections), ranks=3)
        for strategy in ("zero1", "zero2"):
            self.succeed(self.config_of(strategy, strategy, **sections), ranks=3)
            for key in ("loss", "grad_norm", "sample_ids"):
                self.assertEqual(self.lines(strategy, key), self.lines("replicated", key), key)
            self.assertEqual(self.weights(strategy), self.weights("replicated"))
            written, whole = self.manifest(strategy, 10), self.manifest("replicated", 10)
            self.assertEqual((whole["version"], written["version"]), (1, 2))
            for tensor, expected in zip(written["optimizer"], whole["optimizer"]):
                self.assertEqual((tensor["name"], tensor["bytes"]), (expected["name"], expected["bytes"]))
                of_file = {}
                for piece in tensor["slices"]:
                    of_file[piece["file"]] = of_file.get(piece["file"], 0) + piece["bytes"]
                self.assertEqual(len(of_file), 3)
                for bytes_of_rank in of_file.values():
                    self.assertLess(abs(bytes_of_rank - tensor["bytes"] / 3), 3 * 4096 + 1)

    def test_what_is_not_built_is_refused_by_name(self):
        done = self.run_program(self.config_of("third", "zero3"))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("parallel.strategy = 'zero3' is not built yet", done.err)
        done = self.run_program(self.config_of("tree", "zero2", top={"deterministic": True}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn('set it to "zero1" or "replicated"', done.err)


if __name__ == "__main__":
    unittest.main()
