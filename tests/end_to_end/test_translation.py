"""Translators as a user has them: pairs in, a model that writes targets out, held to transformers and PEFT on the way."""
import json
import random
import unittest

from harness import WORDS, EndToEnd, read_rows, write_rows
from test_pairs import make_bart, make_translator


def make_pairs(count, seed):
    """A target is its source from behind."""
    draw = random.Random(seed)
    sources = [[draw.choice(WORDS[:20]) for _ in range(draw.randint(1, 6))] for _ in range(count)]
    return [{"source": " ".join(words), "target": " ".join(reversed(words))} for words in sources]


class Translation(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_translator(cls.shared / "t5")
        cls.test = make_pairs(21, 3)
        for name, rows in (("train", make_pairs(90, 1)), ("validation", make_pairs(17, 2)), ("test", cls.test)):
            write_rows(cls.shared / f"{name}.jsonl", rows)

    def config(self, name="run", **sections):
        sections["model"] = {"model_name_or_path": str(self.shared / "t5"), "task": "seq2seq_lm", **sections.get("model", {})}
        return super().config(name, **sections)

    def losses_by_transformers(self, directory, adapter=None):
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(directory)
        model, told = AutoModelForSeq2SeqLM.from_pretrained(directory, output_loading_info=True, dtype=torch.float64)
        self.assertFalse(told["missing_keys"] or told["unexpected_keys"] or told["mismatched_keys"], told)
        if adapter is not None:
            from peft import PeftModel
            model = PeftModel.from_pretrained(model, adapter, torch_dtype=torch.float64).double()
        losses = []
        for row in self.test:
            ids = lambda text: torch.tensor([tokenizer(text)["input_ids"]])
            with torch.no_grad():
                losses.append(model.eval()(input_ids=ids(row["source"]), labels=ids(row["target"])).loss.item())
        return losses

    def test_numbers_do_not_depend_on_ranks_and_transformers_says_the_same(self):
        for name, ranks in (("one", 1), ("three", 3)):
            self.succeed(self.config(name, model={"dtype": "float64"}, train={"num_train_epochs": 6}), ranks=ranks)
        for key in ("loss", "grad_norm", "eval_loss", "eval_token_accuracy"):
            one, three = self.lines("one", key), self.lines("three", key)
            self.assertTrue(one, key)
            self.assertEqual(one.keys(), three.keys())
            for step, value in one.items():
                self.assertAlmostEqual(three[step], value, delta=1e-11 * max(1, abs(value)), msg=f"{key} {step}")
        losses = list(self.lines("one", "loss").values())
        self.assertLess(losses[-1], 0.8 * losses[0])
        exported = self.run_dir("three") / "model"
        self.assertEqual(json.loads((exported / "config.json").read_text())["architectures"], ["T5ForConditionalGeneration"])
        for mine, loss in zip(read_rows(self.run_dir("three") / "predictions.jsonl"), self.losses_by_transformers(exported), strict=True):
            self.assertAlmostEqual(mine["loss"], loss, delta=1e-6)  # its norms round to float32

    def test_killed_run_goes_on_bitwise(self):
        saves = {"save": {"save_strategy": "steps", "save_steps": 5}, "train": {"num_train_epochs": 1}}
        self.succeed(self.config("straight", **saves), ranks=2)
        config = self.config("killed", **saves)
        self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@8=kill"}).code, 0)
        self.assertIn("resumed from", self.succeed(config, ranks=2).err)
        self.assertEqual(self.weights("killed"), self.weights("straight"))

    def test_blocks_that_are_run_again_change_no_number(self):
        for name, recompute in (("kept", False), ("again", True)):
            self.succeed(self.config(name, model={"dtype": "float64"}, train={"num_train_epochs": 2, "gradient_checkpointing": recompute}), ranks=2)
        for key in ("loss", "grad_norm"):
            kept, again = self.lines("kept", key), self.lines("again", key)
            self.assertTrue(kept, key)
            self.assertEqual(kept.keys(), again.keys())
            for step, value in kept.items():
                self.assertAlmostEqual(again[step], value, delta=1e-11 * max(1, abs(value)), msg=f"{key} {step}")

    def test_a_frozen_encoder_is_run_once(self):
        frozen = {"freeze": {"freeze": ["^encoder", "^shared"]}, "model": {"dtype": "float64"}, "train": {"num_train_epochs": 2}}
        self.succeed(self.config("anew", **frozen), ranks=2)
        kept = {**frozen, "freeze": {**frozen["freeze"], "cache": "memory"}}
        self.assertIn("cached the activations of the frozen stages", self.succeed(self.config("kept", **kept), ranks=2).err)
        anew, again = self.lines("anew", "loss"), self.lines("kept", "loss")
        self.assertTrue(anew)
        self.assertEqual(anew.keys(), again.keys())
        for step, value in anew.items():
            self.assertAlmostEqual(again[step], value, delta=1e-11 * max(1, abs(value)))

    def test_adapters_train_alone_and_peft_reads_them(self):
        self.succeed(self.config(lora={"r": 4, "lora_alpha": 8}, train={"num_train_epochs": 2}), ranks=2)
        written = json.loads((self.run_dir() / "adapter/adapter_config.json").read_text())
        self.assertEqual((sorted(written["target_modules"]), written["task_type"]), (["q", "v"], "SEQ_2_SEQ_LM"))
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        merged = self.losses_by_transformers(self.run_dir() / "model")
        loaded = self.losses_by_transformers(self.shared / "t5", adapter=self.run_dir() / "adapter")
        for mine, loss, by_peft in zip(ours, merged, loaded, strict=True):
            self.assertAlmostEqual(mine["loss"], loss, delta=1e-4)
            self.assertAlmostEqual(mine["loss"], by_peft, delta=1e-4)

    def test_an_output_layer_is_a_parameter_where_the_files_have_another(self):
        from safetensors.torch import load_file, save_file

        for name, factor in (("own", 0.5), ("copied", 1.0)):
            file = make_translator(self.home / f"{name}-t5", tie_word_embeddings=False) / "model.safetensors"
            weights = load_file(file)
            save_file({**weights, "lm_head.weight": weights["shared.weight"] * factor}, file, metadata={"format": "pt"})
            self.succeed(self.config(name, model={"model_name_or_path": str(file.parent)}, train={"num_train_epochs": 1}))
            self.assertEqual("lm_head.weight" in load_file(self.run_dir(name) / "model/model.safetensors"), name == "own")
            for mine, loss in zip(read_rows(self.run_dir(name) / "predictions.jsonl"), self.losses_by_transformers(self.run_dir(name) / "model"), strict=True):
                self.assertAlmostEqual(mine["loss"], loss, delta=1e-4)

    def answers_by_transformers(self, directory, rows):
        """Under the directory's own settings, decoded as run_summarization does it."""
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(directory)
        model = AutoModelForSeq2SeqLM.from_pretrained(directory, dtype=torch.float64).eval()
        with torch.no_grad():
            said = [model.generate(input_ids=torch.tensor([tokenizer(row["source"])["input_ids"]]))[0] for row in rows]
        return [tokenizer.decode(ids, skip_special_tokens=True) for ids in said]

    def test_answers_are_words_and_settings_of_config_json_go_along(self):
        generation = {"forced_bos_token_id": 0, "forced_eos_token_id": 2, "num_beams": 3, "max_length": 12, "min_length": 5, "no_repeat_ngram_size": 3, "length_penalty": 0.5}
        bart = make_bart(self.home / "bart", **generation)
        self.succeed(self.config(model={"model_name_or_path": str(bart), "dtype": "float64"}, eval={"generate": True}))
        exported = self.run_dir() / "model"
        written = json.loads((exported / "generation_config.json").read_text())
        self.assertEqual({key: written.get(key) for key in generation}, generation)
        self.assertEqual((written["decoder_start_token_id"], written["eos_token_id"]), (2, 2))
        theirs = self.answers_by_transformers(exported, self.test)
        self.assertGreater(len(set(theirs)), 2)
        rows = read_rows(self.run_dir() / "predictions.jsonl")
        self.assertEqual([row["prediction"] for row in rows], theirs)
        self.assertEqual([row["reference"] for row in rows], [row["target"] for row in self.test])
        write_rows(self.home / "asked.jsonl", [{"source": row["source"]} for row in self.test])
        self.succeed("predict", exported, "--input", self.home / "asked.jsonl", "--output", self.home / "out.jsonl")
        self.assertEqual([row["prediction"] for row in read_rows(self.home / "out.jsonl")], theirs)

    def test_a_t5_that_says_unknown_has_said_nothing(self):
        unknown = json.loads((self.shared / "t5/generation_config.json").read_text())
        model = make_translator(self.home / "t5")
        (model / "generation_config.json").write_text(json.dumps({**unknown, "forced_eos_token_id": 2, "max_new_tokens": 4}))
        write_rows(self.home / "asked.jsonl", [{"source": row["source"]} for row in self.test])
        self.succeed("predict", model, "--input", self.home / "asked.jsonl", "--output", self.home / "out.jsonl")
        said = [row["prediction"] for row in read_rows(self.home / "out.jsonl")]
        self.assertEqual(said, self.answers_by_transformers(model, self.test))
        self.assertNotIn("<unk>", "".join(said))

    def test_a_model_of_one_text_is_refused(self):
        done = self.run_program(self.config(model={"model_name_or_path": str(self.shared / "model")}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("a model of model_type 'bert' reads one text", done.err)


if __name__ == "__main__":
    unittest.main()
