"""parallel.strategy = "zero1", "zero2" and "zero3": the numbers of "replicated", and a run that goes on under another strategy on another number of ranks."""
import json
import unittest

from harness import EndToEnd, make_rows, write_rows
from test_encoders import make_encoder

SAVES = {"save_strategy": "steps", "save_steps": 5}


class Sharded(EndToEnd):
    def config_of(self, name, strategy, **sections):
        sections = {"model": {"dtype": "float64"}, "eval": {"eval_strategy": "no"}, **sections}
        return self.config(name, save=SAVES, log={"sample_ids": True}, parallel={"strategy": strategy}, comm={"bucket_bytes": 30000}, **sections)

    def manifest(self, name, step):
        return json.loads((self.run_dir(name) / f"checkpoint-{step}" / "manifest.json").read_text())

    def test_goes_on_under_any_strategy_on_any_number_of_ranks(self):
        self.succeed(self.config_of("straight", "replicated"))
        for path in ([(4, "zero1", 8), (3, "zero2", 7), (1, "replicated", 8), (2, "zero1", None)], [(1, "zero1", 8), (2, "zero2", None)],
                     [(3, "zero3", 8), (2, "replicated", 13), (4, "zero3", None)]):
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
        for strategy in ("zero1", "zero2", "zero3"):
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

    def test_zero3_recomputes_evaluates_takes_the_best_and_exports_as_replicated(self):
        for name, sections in {
            "blocks": {"train": {"max_steps": 12, "gradient_checkpointing": True}, "freeze": {"all_but_last": 1}},
            "recomputed": {"train": {"max_steps": 12, "gradient_checkpointing": True, "l2": 1e-3}},
            "adapters": {"train": {"max_steps": 12}, "lora": {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}},
        }.items():
            with self.subTest(name):
                sections["eval"] = {"eval_strategy": "steps", "eval_steps": 5, "load_best_model_at_end": True}
                for strategy in ("replicated", "zero3"):
                    self.succeed(self.config_of(f"{name}-{strategy}", strategy, **{"model": {"dtype": "float32"}, **sections}), ranks=3)
                for key in ("loss", "grad_norm", "eval_loss", "sample_ids"):
                    self.assertEqual(self.lines(f"{name}-zero3", key), self.lines(f"{name}-replicated", key), key)
                self.assertEqual(self.weights(f"{name}-zero3"), self.weights(f"{name}-replicated"))
                answers = [(self.run_dir(f"{name}-{strategy}") / "predictions.jsonl").read_text() for strategy in ("replicated", "zero3")]
                self.assertEqual(*answers)
        self.succeed("predict", self.run_dir("recomputed-zero3"), "--input", self.shared / "test.jsonl", "--output", self.home / "predicted.jsonl")

    def test_an_update_of_zero3_that_is_not_finite_is_left_out_on_all_ranks(self):
        rows = [{"text": row["text"], "label": len(row["text"]) / 50} for row in make_rows(40, 4)]
        rows[5]["label"] = 3e38  # its square is infinite in float32
        write_rows(self.home / "numbers.jsonl", rows)
        sections = {"model": {"dtype": "float32", "ignore_mismatched_sizes": True}, "train": {"num_train_epochs": 2},
                    "data": {"train_file": str(self.home / "numbers.jsonl"), "validation_file": None, "test_file": None}}
        for strategy in ("replicated", "zero3"):
            self.succeed(self.config_of(strategy, strategy, **sections), ranks=2)
            self.assertEqual(self.summary(strategy)["skipped_updates"], 2)
        self.assertEqual(self.lines("zero3", "grad_norm"), self.lines("replicated", "grad_norm"))
        self.assertEqual(self.weights("zero3"), self.weights("replicated"))

    def test_what_is_not_built_is_refused_by_name(self):
        for strategy in ("zero2", "zero3"):
            done = self.run_program(self.config_of("tree", strategy, top={"deterministic": True}))
            self.assertEqual(done.code, 78, done.err)
            self.assertIn('set it to "zero1" or "replicated"', done.err)
        for sections in ({"model": {"dtype": "bfloat16"}}, {"model": {"dtype": "float32"}, "train": {"l2_from_start": 1e-3}}):
            done = self.run_program(self.config_of("third", "zero3", **sections))
            self.assertEqual(done.code, 78, done.err)
            self.assertIn('parallel.strategy = "zero3" is not built for', done.err)
        model = make_encoder("deberta", self.home / "deberta")
        done = self.run_program(self.config_of("shared", "zero3", model={"model_name_or_path": str(model), "dtype": "float32"}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("models whose blocks read parameters of other stages, as this one (deberta-v2)", done.err)


if __name__ == "__main__":
    unittest.main()
