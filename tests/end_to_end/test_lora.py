"""Low-rank adapters as a user has them: trained on 1 and 2 ranks, resumed on another number, exported merged and as PEFT reads them, PEFT's taken in."""
import json
import shutil
import unittest

from harness import EndToEnd, make_model, read_rows, write_rows
from test_decoders import make_decoder
from test_families import make_family

try:
    import peft
except ImportError:
    peft = None

LORA = {"r": 4, "lora_alpha": 16, "lora_dropout": 0.1}
SAVES = {"save_strategy": "steps", "save_steps": 5}


def tensors(directory, name="model.safetensors"):
    from safetensors.numpy import load_file

    return load_file(directory / name)


def transformers_scores(model, tokenizer, rows, max_length=32):
    import torch

    encoded = tokenizer([row["text"] for row in rows], padding=True, truncation=True, max_length=max_length, return_tensors="pt")
    with torch.no_grad():
        return torch.softmax(model.eval()(**encoded).logits, -1)


@unittest.skipUnless(peft, "peft is missing")
class Lora(EndToEnd):
    def settings(self, **sections):
        return {"lora": LORA, "save": SAVES, "log": {"sample_ids": True}, **sections}

    def scores(self, target, name):
        rows = read_rows(self.shared / "test.jsonl")
        write_rows(self.home / "rows.jsonl", [{"text": row["text"]} for row in rows])
        self.succeed("predict", target, "--input", self.home / "rows.jsonl", "--output", self.home / name)
        return [row["scores"] for row in read_rows(self.home / name)]

    def assert_near(self, a, b, delta=1e-5):
        for one, other in zip(a, b, strict=True):
            values = other.values() if isinstance(other, dict) else other
            for left, right in zip(one.values() if isinstance(one, dict) else one, values, strict=True):
                self.assertAlmostEqual(float(left), float(right), delta=delta)

    def peft_scores(self, adapter, base=None, num_labels=3, rows=None):
        """What PEFT makes of an adapter on its base."""
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        base = base or json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
        model = peft.PeftModel.from_pretrained(AutoModelForSequenceClassification.from_pretrained(base, num_labels=num_labels), adapter)
        return transformers_scores(model, AutoTokenizer.from_pretrained(base), rows or read_rows(self.shared / "test.jsonl"))

    def peft_adapter(self, base, directory, **settings):
        """One that PEFT leaves, its B and its head not as they began."""
        import torch
        from transformers import AutoModelForSequenceClassification

        torch.manual_seed(3)
        model = peft.get_peft_model(AutoModelForSequenceClassification.from_pretrained(base, num_labels=3), peft.LoraConfig(**{"task_type": "SEQ_CLS", "r": 3, "lora_alpha": 7, **settings}))
        for name, value in model.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                value.data.normal_(std=0.3)
        model.save_pretrained(directory)
        return directory

    def test_only_adapters_and_head_train_on_any_ranks_and_a_checkpoint_holds_them_alone(self):
        for ranks in (1, 2):
            done = self.succeed(self.config(f"on{ranks}", **self.settings(model={"dtype": "float64"}, optim={"learning_rate": 2e-2})), ranks=ranks)
            self.assertIn("training 1,123 of 23,651 parameters", done.err)
        for step, loss in self.lines("on1").items():
            self.assertAlmostEqual(loss, self.lines("on2")[step], delta=1e-11)
        losses = list(self.lines("on1").values())
        self.assertLess(sum(losses[-10:]), 0.9 * sum(losses[:10]))
        before, after = tensors(self.shared / "model"), tensors(self.run_dir("on1") / "model")
        moved = {name for name in before if not (before[name] == after[name]).all()}
        self.assertEqual(moved, {f"bert.encoder.layer.{i}.attention.self.{part}.weight" for i in (0, 1) for part in ("query", "value")} | {"classifier.weight", "classifier.bias"})
        held = tensors(self.run_dir("on1") / "checkpoint-36")
        self.assertEqual({name.split("lora_")[0] for name in held}, {f"bert.encoder.layer.{i}.attention.self.{part}." for i in (0, 1) for part in ("query", "value")} | {"classifier.weight", "classifier.bias"})

    def test_resumed_on_another_number_of_ranks_goes_on_as_if_it_had_not_stopped(self):
        self.succeed(self.config("straight", **self.settings(model={"dtype": "float64"})))
        config = self.config("resumed", **self.settings(model={"dtype": "float64"}))
        self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=0;trainer.step@13=kill"})
        self.assertIn("step 10", self.succeed(config).err)
        for step, loss in self.lines("straight").items():
            self.assertAlmostEqual(loss, self.lines("resumed")[step], delta=1e-11)
        self.assert_near(self.scores(self.run_dir("resumed"), "a.jsonl"), self.scores(self.run_dir("straight"), "b.jsonl"), 1e-9)

    def test_a_checkpoint_is_refused_on_another_base(self):
        base = self.home / "base"
        shutil.copytree(self.shared / "model", base)
        config = self.config(**self.settings(model={"model_name_or_path": str(base)}))
        self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@13=kill"})
        make_model(base, initializer_range=0.2)
        done = self.run_program(config)
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("base_weights", done.err)

    def test_an_adapter_tells_where_its_base_has_changed(self):
        base = shutil.copytree(self.shared / "model", self.home / "base")
        config = self.config(**self.settings(model={"model_name_or_path": str(base)}, train={"max_steps": 5}))
        self.succeed(config)
        adapter, last = self.run_dir() / "adapter", self.run_dir() / "checkpoint-5"
        told = lambda *command: "was trained on other weights than" in self.succeed(*command).err
        predict = lambda target: ("predict", target, "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl")
        self.assertFalse(told(*predict(adapter)) or told("evaluate", self.run_dir(), "--checkpoint", "last"))
        make_model(base, initializer_range=0.2)
        self.assertTrue(told(*predict(adapter)) and told(*predict(last)))
        self.assertTrue(told("evaluate", self.run_dir(), "--checkpoint", "last") and told("export", adapter, "--output", self.home / "merged"))
        self.assertTrue(told(self.config("on", model={"model_name_or_path": str(base), "adapter": str(adapter)}, train={"max_steps": 1})))
        theirs = self.peft_adapter(self.shared / "model", self.home / "theirs")
        done = self.succeed(self.config("other", model={"model_name_or_path": str(base), "adapter": str(theirs)}, train={"max_steps": 1}))
        self.assertIn("whether they are one cannot be seen", done.err)

    def test_l2_from_the_start_keeps_a_loaded_adapter(self):
        self.succeed(self.config(**self.settings(train={"max_steps": 20}, optim={"learning_rate": 2e-2})))
        model = {"model_name_or_path": str(self.shared / "model"), "adapter": str(self.run_dir() / "adapter")}
        self.succeed(self.config("on", model=model, train={"max_steps": 30, "l2_from_start": 100.0, "max_grad_norm": 0.0}, optim={"learning_rate": 2e-3}))
        before, after = (tensors(self.run_dir(name) / "adapter", "adapter_model.safetensors") for name in ("run", "on"))
        size, moved = (sum(float((value ** 2).sum()) for value in values) ** 0.5 for values in (before.values(), [after[name] - before[name] for name in before]))
        self.assertLess(moved, 0.1 * size)

    def test_the_tokenizer_beside_an_adapter_is_the_one_it_was_trained_with(self):
        base = shutil.copytree(self.shared / "model", self.home / "base")
        self.succeed(self.config(**self.settings(model={"model_name_or_path": str(base)}, train={"max_steps": 5}, optim={"learning_rate": 2e-2})))
        wanted = self.scores(self.run_dir() / "adapter", "before.jsonl")
        tokenizer = json.loads((base / "tokenizer.json").read_text())
        vocabulary = tokenizer["model"]["vocab"]
        vocabulary["word1"], vocabulary["word50"] = vocabulary["word50"], vocabulary["word1"]
        (base / "tokenizer.json").write_text(json.dumps(tokenizer))
        self.assertEqual(self.scores(self.run_dir() / "adapter", "behind.jsonl"), wanted)
        vocabulary["word1"] = 5000
        (self.run_dir() / "adapter" / "tokenizer.json").write_text(json.dumps(tokenizer))
        done = self.run_program("predict", self.run_dir() / "adapter", "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl")
        self.assertEqual(done.code, 79, done.err)

    def test_merged_and_adapter_and_checkpoint_predict_the_same_and_peft_agrees(self):
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        for family in ("bert", "roberta", "distilbert", "llama", "gpt2"):
            with self.subTest(family=family):
                home = self.run_dir(family)
                base = self.shared / "model" if family == "bert" else (make_decoder if family in ("llama", "gpt2") else make_family)(family, self.home / f"{family}-base")
                targets = {} if family == "bert" else {"target_modules": "all-linear", "use_rslora": True}
                self.succeed(self.config(family, **self.settings(model={"model_name_or_path": str(base)}, lora={**LORA, **targets})), ranks=2)
                merged = self.scores(home, "merged.jsonl")
                self.assert_near(self.scores(home / "adapter", "adapter.jsonl"), merged)
                self.assert_near(self.scores(home / "checkpoint-36", "checkpoint.jsonl"), merged)
                self.assert_near(self.peft_scores(home / "adapter"), merged)
                model, info = AutoModelForSequenceClassification.from_pretrained(home / "model", output_loading_info=True)
                self.assertFalse(info["missing_keys"] or info["unexpected_keys"], info)
                self.assert_near(transformers_scores(model, AutoTokenizer.from_pretrained(home / "model"), read_rows(self.shared / "test.jsonl")), merged)
                self.assertFalse((home / "model" / "adapter_config.json").exists())
                self.succeed("export", home, "--checkpoint", "last", "--output", self.home / f"{family}-exported")
                self.assert_near(self.scores(self.home / f"{family}-exported", "exported.jsonl"), merged)
                evaluated = json.loads(self.succeed("evaluate", home, "--checkpoint", "last", "--split", "test").out)
                self.assertAlmostEqual(evaluated["eval_loss"], self.summary(family)["test_metrics"]["loss"], delta=1e-6)

    def test_files_have_the_names_that_peft_writes(self):
        for targets, task in ((None, "SEQ_CLS"), ("all-linear", "SEQ_CLS")):
            name = targets or "usual"
            self.succeed(self.config(name, **self.settings(lora={**LORA, **({"target_modules": targets} if targets else {})}, train={"max_steps": 1})))
            theirs = self.peft_adapter(self.shared / "model", self.home / f"{name}-peft", r=4, **({"target_modules": targets} if targets else {}))
            ours = tensors(self.run_dir(name) / "adapter", "adapter_model.safetensors")
            self.assertEqual({key: value.shape for key, value in ours.items()}, {key: value.shape for key, value in tensors(theirs, "adapter_model.safetensors").items()})
            config = json.loads((self.run_dir(name) / "adapter" / "adapter_config.json").read_text())
            self.assertEqual(config["task_type"], task)
            self.assertLessEqual(set(config), set(json.loads((theirs / "adapter_config.json").read_text())))

    def test_a_language_model_trains_its_adapters_alone(self):
        import torch
        from transformers import AutoModelForCausalLM

        for family, tied in (("llama", False), ("gpt2", True)):
            with self.subTest(family=family):
                base, name = make_decoder(family, self.home / f"{family}-lm", tie_word_embeddings=tied), f"{family}-run"
                AutoModelForCausalLM.from_pretrained(base).save_pretrained(base)
                self.succeed(self.config(name, model={"model_name_or_path": str(base), "task": "causal_lm"}, lora={**LORA, "target_modules": "all-linear"}, train={"max_steps": 8}, optim={"learning_rate": 2e-2}), ranks=2)
                adapted = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", fan_in_fan_out=family == "gpt2"))
                adapted.save_pretrained(self.home / f"{family}-theirs")
                ours = tensors(self.run_dir(name) / "adapter", "adapter_model.safetensors")
                self.assertEqual({key: value.shape for key, value in ours.items()}, {key: value.shape for key, value in tensors(self.home / f"{family}-theirs", "adapter_model.safetensors").items()})
                config = json.loads((self.run_dir(name) / "adapter" / "adapter_config.json").read_text())
                self.assertEqual((config["task_type"], config["modules_to_save"]), ("CAUSAL_LM", None))
                words = torch.arange(3, 43).view(2, 20)
                with torch.no_grad():
                    plain = AutoModelForCausalLM.from_pretrained(base)(words).logits
                    merged = AutoModelForCausalLM.from_pretrained(self.run_dir(name) / "model")(words).logits
                    beside = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), self.run_dir(name) / "adapter")(words).logits
                self.assertLess((merged - beside).abs().max().item(), 1e-5 * beside.abs().max().item())
                self.assertGreater((merged - plain).abs().max().item(), 0.1 * beside.abs().max().item())

    def test_exports_what_is_asked_for(self):
        for wanted, there in (("merged", {"model"}), ("adapter", {"adapter"})):
            self.succeed(self.config(wanted, **self.settings(lora={**LORA, "export": wanted}, train={"max_steps": 6})))
            self.assertEqual({name for name in ("model", "adapter") if (self.run_dir(wanted) / name).is_dir()}, there)
        self.assert_near(self.scores(self.run_dir("adapter"), "a.jsonl"), self.scores(self.run_dir("merged"), "b.jsonl"))

    def test_an_adapter_of_peft_is_predicted_merged_and_trained_on(self):
        adapter = self.peft_adapter(self.shared / "model", self.home / "theirs", target_modules="all-linear")
        expected = self.peft_scores(adapter)
        self.assert_near(self.scores(adapter, "predicted.jsonl"), expected)
        self.succeed("export", adapter, "--output", self.home / "merged")
        self.assert_near(self.scores(self.home / "merged", "merged.jsonl"), expected)
        quiet = {"optim": {"learning_rate": 1e-12}, "train": {"max_steps": 1}, "lora": {"lora_dropout": None}, "model": {"adapter": str(adapter)}}
        self.succeed(self.config("goes_on", **quiet))
        self.assert_near(self.scores(self.run_dir("goes_on"), "went_on.jsonl"), expected)
        self.succeed(self.config("straight_on", model={"model_name_or_path": str(adapter)}, train={"max_steps": 12}))
        self.assertEqual(json.loads((self.run_dir("straight_on") / "adapter" / "adapter_config.json").read_text())["r"], 3)

    def test_activations_below_the_lowest_adapter_are_cached_once(self):
        upper = {**LORA, "target_modules": ["layer.1.attention.self.query"]}
        self.succeed(self.config("plain", **self.settings(lora=upper)))
        done = self.succeed(self.config("cached", **self.settings(lora=upper, freeze={"cache": "memory"})), ranks=2)
        self.assertIn("cached the activations of the frozen stages", done.err)
        for step, loss in self.lines("plain").items():
            self.assertAlmostEqual(loss, self.lines("cached")[step], delta=1e-4)

    def refused(self, *parts, code=78, **sections):
        done = self.run_program(self.config("refused", **sections))
        self.assertEqual(done.code, code, done.err)
        for part in parts:
            self.assertIn(part, done.err)

    def test_what_cannot_be_is_refused_by_name(self):
        self.refused("lora.target_modules: 'quer' is the end of no layer's name (did you mean 'query'?)", "query, key, value, dense", lora={**LORA, "target_modules": ["quer"]})
        self.refused("freeze.all_but_last says what trains, and so do adapters", lora=LORA, freeze={"all_but_last": 1})
        self.refused("lora.r: adapters stand on pretrained weights", lora=LORA, model={"init": "random"})
        base = make_model(self.home / "no_pooler")
        held = {name: value for name, value in tensors(base).items() if "pooler" not in name}
        from safetensors.numpy import save_file
        save_file(held, base / "model.safetensors", {"format": "pt"})
        self.refused("lack bert.pooler.dense.weight", "would stay frozen as it was drawn", "model.pooling", lora=LORA, model={"model_name_or_path": str(base)})

    def test_an_adapter_that_does_not_fit_is_refused_by_name(self):
        theirs = self.peft_adapter(self.shared / "model", self.home / "theirs")
        wide = make_model(self.home / "wide", hidden_size=64)
        self.refused("is an adapter of another base: bert.encoder.layer.0.attention.self.query.lora_A.weight is [3, 32] there, and [3, 64] on this model", code=79, model={"adapter": str(theirs), "model_name_or_path": str(wide)})
        self.refused("lora.r is 4, and the adapter in", "has 3", model={"adapter": str(theirs)}, lora={"r": 4})
        config = json.loads((theirs / "adapter_config.json").read_text())
        for key, value in {"use_dora": True, "rank_pattern": {"query": 2}, "alpha_pattern": {"query": 2}, "lora_bias": True, "bias": "all", "peft_type": "IA3", "init_lora_weights": "pissa", "modules_to_save": ["classifier", "embeddings"]}.items():
            (theirs / "adapter_config.json").write_text(json.dumps({**config, key: value}))
            self.refused(key, "not built", model={"adapter": str(theirs)})
        embedded = self.peft_adapter(self.shared / "model", self.home / "embedded", target_modules=["query", "word_embeddings"])
        self.refused("adapters on embeddings are not built", code=79, model={"adapter": str(embedded)})


if __name__ == "__main__":
    unittest.main()
