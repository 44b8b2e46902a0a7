"""Frozen weights that stay as their files have them: the memory they take, what is computed with them, what is written of them, and files that do not stay still."""
import json
import os
import shutil
import subprocess
import time
import unittest

from harness import EndToEnd, make_model, make_rows, write_rows
from test_decoders import make_decoder

LORA = {"r": 4, "lora_alpha": 16, "target_modules": "all-linear"}
WIDE = dict(hidden_size=512, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=2, head_dim=64, intermediate_size=2048, vocab_size=60_000)  # 62 M parameters, half of them words
OF_PRODUCTS_BYTES = 96 << 20  # what libraries lay out for products, and the allocator keeps: the same for a base of any size


def in_type(model, directory, dtype, **options):
    """The same numbers in another type, when these are its numbers already."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

    kind = AutoModelForCausalLM if "CausalLM" in AutoConfig.from_pretrained(model).architectures[0] else AutoModelForSequenceClassification
    shutil.copytree(model, directory, ignore=shutil.ignore_patterns("*.safetensors*"))
    kind.from_pretrained(model, dtype=getattr(torch, dtype)).save_pretrained(directory, **options)
    return directory


def tensors(directory):
    from safetensors.torch import load_file

    return {name: value for file in sorted(directory.glob("*.safetensors")) for name, value in load_file(file).items()}


class FrozenBase(EndToEnd):
    def language_model(self, name, family="llama", tied=True, **changes):
        """In bfloat16, and beside it the same numbers in float32."""
        from transformers import AutoModelForCausalLM

        base = make_decoder(family, self.home / f"{name}-drawn", tie_word_embeddings=tied, **changes)
        AutoModelForCausalLM.from_pretrained(base).save_pretrained(base)
        narrow = in_type(base, self.home / f"{name}-bf16", "bfloat16", max_shard_size="40MB")
        return narrow, in_type(narrow, self.home / f"{name}-fp32", "float32")

    def settings(self, base, **sections):
        return {"model": {"model_name_or_path": str(base), "task": "causal_lm"}, "lora": LORA, "train": {"max_steps": 8}, "optim": {"learning_rate": 2e-2}, **sections}

    def peak(self, name, base, rows):
        """Of one process, the pages of files that it has read among it."""
        self.succeed(self.config(name, **self.settings(base, data={"train_file": str(rows), "validation_file": None, "test_file": None}, save={"save_strategy": "no"}, train={"max_steps": 2, "global_batch_size": 2})), environment={"OMP_NUM_THREADS": "1"})
        return self.summary(name)["peak_rss_bytes"][0]

    # Products of 16 rows and fewer, of which these have none in training, are the same but for rounding.
    def test_training_gives_the_losses_of_a_float32_base_to_the_bit(self):
        for family, tied, ranks in (("llama", True, 1), ("qwen2", False, 2), ("gpt2", True, 2)):
            narrow, wide = self.language_model(family, family, tied)
            for name, base in ((f"{family}-narrow", narrow), (f"{family}-wide", wide)):
                self.succeed(self.config(name, **self.settings(base)), ranks=ranks)
            self.assertEqual(self.lines(f"{family}-narrow"), self.lines(f"{family}-wide"))
            self.assertAlmostEqual(self.summary(f"{family}-narrow")["test_metrics"]["loss"], self.summary(f"{family}-wide")["test_metrics"]["loss"], delta=1e-5)

    def test_a_run_takes_little_more_memory_than_the_files_of_its_base(self):
        narrow, _ = self.language_model("large", **WIDE)
        self.assertTrue((narrow / "model.safetensors.index.json").exists())
        small, _ = self.language_model("small")
        files = sum(path.stat().st_size for path in narrow.glob("*.safetensors"))
        write_rows(self.shared / "few.jsonl", [{"text": row["text"]} for row in make_rows(8, 1)])
        taken = self.peak("of-base", narrow, self.shared / "few.jsonl") - self.peak("of-none", small, self.shared / "few.jsonl")
        self.assertLess(taken, 1.3 * files + OF_PRODUCTS_BYTES, f"{files / 1e6:.0f} MB of files")

    def test_what_is_written_is_of_the_type_of_the_files(self):
        import torch
        from transformers import AutoModelForCausalLM

        narrow, wide = self.language_model("base")
        self.succeed(self.config("lora", **self.settings(narrow)))
        merged = tensors(self.run_dir("lora") / "model")
        self.assertEqual({value.dtype for value in merged.values()}, {torch.bfloat16})
        self.assertEqual(json.loads((self.run_dir("lora") / "model" / "config.json").read_text())["dtype"], "bfloat16")
        self.assertFalse(AutoModelForCausalLM.from_pretrained(self.run_dir("lora") / "model", output_loading_info=True)[1]["missing_keys"])
        self.succeed(self.config("exact", **self.settings(wide)))
        exact = tensors(self.run_dir("exact") / "model")
        self.assertEqual({value.dtype for value in exact.values()}, {torch.float32})
        for name, value in exact.items():
            self.assertTrue(torch.equal(merged[name], value.to(torch.bfloat16)), name)
        self.succeed("export", self.run_dir("lora") / "adapter", "--output", self.home / "exported")
        for name, value in tensors(self.home / "exported").items():
            self.assertTrue(torch.equal(merged[name], value), name)

    def test_a_frozen_trunk_stays_in_its_type_and_the_rest_trains_in_float32(self):
        import torch

        drawn = make_model(self.home / "drawn")
        narrow = in_type(drawn, self.home / "narrow", "bfloat16")
        wide = in_type(narrow, self.home / "wide", "float32")
        frozen = dict(freeze={"all_but_last": 1}, save={"save_strategy": "steps", "save_steps": 4}, train={"max_steps": 10})
        for name, model in (("of-narrow", narrow), ("of-wide", wide)):
            self.succeed(self.config(name, model={"model_name_or_path": str(model)}, **frozen))
        self.assertEqual(self.lines("of-narrow"), self.lines("of-wide"))
        before, after = tensors(narrow), tensors(self.run_dir("of-narrow") / "model")
        for name, value in after.items():
            trains = "layer.1." in name or "pooler" in name or "classifier" in name
            self.assertEqual(value.dtype, torch.float32 if trains else torch.bfloat16, name)
            if not trains:
                self.assertTrue(torch.equal(value, before[name]), name)
        resumed = self.config("resumed", model={"model_name_or_path": str(narrow)}, **frozen)
        self.run_program(resumed, environment={"SFT_FAILPOINTS": "trainer.step@7=kill"})
        self.assertIn("step 4", self.succeed(resumed, ranks=2).err)
        for step, loss in self.lines("of-narrow").items():
            self.assertAlmostEqual(loss, self.lines("resumed")[step], delta=1e-5)

    def test_narrow_products_are_made_with_the_weights_of_the_files(self):
        narrow, wide = self.language_model("base")
        for name, model in (("of-narrow", narrow), ("of-wide", wide)):
            self.succeed(self.config(name, **self.settings(model, model={"model_name_or_path": str(model), "task": "causal_lm", "dtype": "bfloat16"})))
        self.assertEqual(self.lines("of-narrow"), self.lines("of-wide"))

    def test_a_resumed_run_wants_the_files_of_the_base_it_began_on(self):
        narrow, wide = self.language_model("base")
        base = self.home / "in-use"
        shutil.copytree(narrow, base)
        config = self.config(**self.settings(base, save={"save_strategy": "steps", "save_steps": 3}))
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@5=kill"}, ranks=2)
        shutil.rmtree(base)
        shutil.copytree(wide, base)
        done = self.run_program(config)
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("model_files.weights was", done.err)
        self.assertNotIn("base_weights", done.err)  # the numbers are the same
        shutil.rmtree(base)
        shutil.copytree(narrow, base)
        self.assertIn("resumed from", self.succeed(config).err)

    def test_a_base_that_is_written_to_while_a_run_stands_on_it_ends_the_run(self):
        narrow, _ = self.language_model("base")
        config = self.config(**self.settings(narrow, data={"validation_file": None, "test_file": None}, train={"max_steps": 40}, save={"save_strategy": "no"}))
        process = subprocess.Popen(self.command(config), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "SFT_FAILPOINTS": "trainer.step=sleep:0.1"})
        self.addCleanup(process.kill)
        deadline = time.time() + 60
        log = self.run_dir() / "metrics.jsonl"
        while time.time() < deadline and process.poll() is None and not (log.exists() and '"loss"' in log.read_text()):
            time.sleep(0.02)
        with open(narrow / "model.safetensors", "r+b") as weights:
            weights.seek(-2, os.SEEK_END)
            weights.write(b"\0\0")
        _, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 79, errors)
        self.assertIn("somebody has written to this file while its weights were in use", errors)


if __name__ == "__main__":
    unittest.main()
