"""Classifiers on decoders as a user has them: trained on 1 and 3 ranks, resumed, frozen, exported, and read by transformers, which looks at the last token that is no padding."""
import json
import unittest

from harness import LABELS, WORDS, read_rows
from test_families import FamilyTests


def make_decoder(family, directory, base_class=False, dtype="float32", **changes):
    """A random model in Hugging Face layout, with a tokenizer of whole words."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    directory.mkdir()
    vocabulary = ["<pad>", "<unk>", "</s>"] + WORDS
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", model_input_names=["input_ids", "attention_mask"]).save_pretrained(directory)
    labels = dict(id2label=dict(enumerate(LABELS)), label2id={name: i for i, name in enumerate(LABELS)})
    shared = dict(labels, vocab_size=len(vocabulary) + 5, pad_token_id=0, bos_token_id=2, eos_token_id=2, initializer_range=0.1)
    if family == "gpt2":
        config = transformers.GPT2Config(**{**shared, **dict(n_embd=32, n_layer=2, n_head=4, n_positions=64), **changes})
    else:
        config = transformers.AutoConfig.for_model(family, **{**shared, **dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16, intermediate_size=64, max_position_embeddings=64), **changes})
    torch.manual_seed(7)
    model = (transformers.AutoModel if base_class else transformers.AutoModelForSequenceClassification).from_config(config)
    model.to(getattr(torch, dtype)).save_pretrained(directory)
    return directory


class Decoders(FamilyTests):
    def tokenizer_of(self, directory):
        """As its file says; transformers' class for Qwen2 would make bytes of whole words."""
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(directory)

    def train_and_compare_decoder(self, family, architecture, **changes):
        model = make_decoder(family, self.home / "model", **changes)
        self.train_and_compare(model, architecture)

    def test_llama(self):
        self.train_and_compare_decoder("llama", "LlamaForSequenceClassification")

    def test_mistral(self):
        self.train_and_compare_decoder("mistral", "MistralForSequenceClassification", sliding_window=3)

    def test_qwen2(self):
        self.train_and_compare_decoder("qwen2", "Qwen2ForSequenceClassification")

    def test_qwen3(self):
        self.train_and_compare_decoder("qwen3", "Qwen3ForSequenceClassification")

    def test_gpt2(self):
        self.train_and_compare_decoder("gpt2", "GPT2ForSequenceClassification")

    def test_a_run_of_gpt2_goes_on_from_its_checkpoint_to_the_same_bytes(self):
        """Its matrices are transposed in checkpoints as in weight files."""
        model = {"model_name_or_path": str(make_decoder("gpt2", self.home / "model"))}
        sections = dict(model=model, train={"max_steps": 12}, save={"save_strategy": "steps", "save_steps": 6})
        self.succeed(self.config("whole", **sections))
        parted = self.config("parted", **sections)
        self.assertNotEqual(self.run_program(parted, environment={"SFT_FAILPOINTS": "trainer.step@9=kill"}).code, 0)
        self.assertIn("step 6", self.succeed(parted).err)
        for name in ("checkpoint-12/model.safetensors", "model/model.safetensors"):
            self.assertEqual((self.run_dir("whole") / name).read_bytes(), (self.run_dir("parted") / name).read_bytes(), name)
        from transformers import AutoModelForSequenceClassification

        _, told = AutoModelForSequenceClassification.from_pretrained(self.run_dir("whole") / "model", output_loading_info=True)
        self.assertFalse(told["missing_keys"] or told["unexpected_keys"] or told["mismatched_keys"], told)

    def test_files_in_half_precision_and_of_the_base_class_are_read(self):
        for family, dtype in (("llama", "bfloat16"), ("qwen2", "float16"), ("gpt2", "bfloat16")):
            model = make_decoder(family, self.home / family, base_class=True, dtype=dtype)
            done = self.succeed(self.config(f"run_{family}", model={"model_name_or_path": str(model)}, freeze={"freeze": ["^transformer" if family == "gpt2" else "^model"]}, train={"max_steps": 1}))
            self.assertIn("newly initialised, not in the weight files: score.weight", done.err)
            self.assertNotIn("not used", done.err)
            import torch
            from transformers import AutoModel
            before, after = AutoModel.from_pretrained(model, dtype=torch.float32), AutoModel.from_pretrained(self.run_dir(f"run_{family}") / "model", dtype=torch.float32)
            for (name, a), (_, b) in zip(before.named_parameters(), after.named_parameters()):
                self.assertTrue(torch.equal(a, b), f"{family} {name}")

    def test_a_model_that_transformers_wrote_predicts_here_what_it_predicts_there(self):
        for family in ("llama", "gpt2"):
            model = make_decoder(family, self.home / family)
            rows = read_rows(self.shared / "test.jsonl")
            self.succeed("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / f"{family}.jsonl", ranks=2)
            self.assert_same_scores(read_rows(self.home / f"{family}.jsonl"), self.transformers_predict(model, rows)[0])

    def test_a_model_without_padding_is_exported_with_one(self):
        model = make_decoder("gpt2", self.home / "model", pad_token_id=None)
        for name in ("tokenizer_config.json", "config.json"):
            content = json.loads((model / name).read_text())
            content.pop("pad_token", None), content.pop("pad_token_id", None)
            (model / name).write_text(json.dumps(content))
        self.succeed(self.config(model={"model_name_or_path": str(model)}))
        exported = self.run_dir() / "model"
        self.assertEqual(json.loads((exported / "config.json").read_text())["pad_token_id"], 2)
        self.assertEqual(json.loads((exported / "tokenizer_config.json").read_text())["pad_token"], "</s>")
        theirs, _ = self.transformers_predict(exported, read_rows(self.shared / "test.jsonl"))
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), theirs)

    def test_a_class_that_is_not_built_is_told_before_training(self):
        model = make_decoder("llama", self.home / "model")
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps({**config, "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}}))
        done = self.run_program(self.config(model={"model_name_or_path": str(model)}))
        self.assertEqual(done.code, 78)
        self.assertIn("rope_parameters must be of rope_type default, linear or llama3", done.err)


if __name__ == "__main__":
    unittest.main()
