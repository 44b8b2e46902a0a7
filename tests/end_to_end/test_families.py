"""RoBERTa and DistilBERT as a user has them: their own tokenizers and files, trained on 1 and 3 ranks, frozen, exported, and read by transformers."""
import json
import random
import unittest

from harness import LABELS, WORDS, EndToEnd, make_model, make_rows, read_rows, write_rows


def roberta_tokenizer(directory):
    """vocab.json and merges.txt of a byte-level BPE over the rows' words."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator([row["text"] for row in make_rows(200, 11)], vocab_size=330, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.save_model(str(directory))
    return tokenizer.get_vocab_size()


def make_family(family, directory, base_class=False, only_vocabulary=False):
    """A random model of the family in Hugging Face layout, with the files that transformers writes for it."""
    import torch
    from transformers import (AutoModel, AutoModelForSequenceClassification, AutoTokenizer, CamembertConfig, DistilBertConfig, RobertaConfig, XLMRobertaConfig)

    directory.mkdir()
    labels = dict(id2label=dict(enumerate(LABELS)), label2id={name: i for i, name in enumerate(LABELS)})
    small = dict(labels, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=66, initializer_range=0.1, type_vocab_size=1)
    if family == "distilbert":
        make_model(directory)
        for name in ("tokenizer.json", "tokenizer_config.json", "config.json", "model.safetensors"):
            (directory / name).unlink(missing_ok=True)
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + ["##s", "a", "b", "c"]
        (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
        config = DistilBertConfig(vocab_size=len(vocabulary), dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=64, initializer_range=0.1, **labels)
    elif family == "roberta":
        config = RobertaConfig(vocab_size=roberta_tokenizer(directory), **small)
    else:
        config_class, tokenizer_class = {"xlm-roberta": (XLMRobertaConfig, "XLMRobertaTokenizer"), "camembert": (CamembertConfig, "CamembertTokenizer")}[family]
        import transformers
        head = ["<s>", "<pad>", "</s>", "<unk>"] if family == "xlm-roberta" else ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"]
        pieces = [(token, 0.0) for token in head] + [("\u2581" + word, -3.0 - i / 50) for i, word in enumerate(WORDS)]
        pieces += [(letter, -9.0) for letter in "\u2581abcdefghijklmnopqrstuvwxyz0123456789"] + [("<mask>", 0.0)]
        tokenizer = getattr(transformers, tokenizer_class)(vocab=pieces)
        tokenizer.save_pretrained(directory)
        config = config_class(vocab_size=len(tokenizer), **small)
    torch.manual_seed(7)
    (AutoModel if base_class else AutoModelForSequenceClassification).from_config(config).save_pretrained(directory)
    if family in ("roberta", "distilbert") and not only_vocabulary:
        AutoTokenizer.from_pretrained(directory).save_pretrained(directory)
    return directory


class FamilyTests(EndToEnd):
    def tokenizer_of(self, directory):
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(directory)

    def transformers_predict(self, directory, rows, pair=None, max_length=32):
        import torch
        from transformers import AutoModelForSequenceClassification

        tokenizer = self.tokenizer_of(directory)
        model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
        texts = [[row["text"] for row in rows]] + ([[row[pair] for row in rows]] if pair else [])
        encoded = tokenizer(*texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.no_grad():
            probabilities = torch.softmax(model(**encoded).logits, -1)
        return [{model.config.id2label[i]: p for i, p in enumerate(row)} for row in probabilities.tolist()], type(model).__name__

    def assert_same_scores(self, ours, theirs):
        self.assertEqual(len(ours), len(theirs))
        for mine, reference in zip(ours, theirs):
            for name, score in reference.items():
                self.assertAlmostEqual(mine["scores"][name], score, delta=1e-5)

    def train_and_compare(self, model, architecture):
        keys = {"model_name_or_path": str(model)}
        for ranks in (1, 3):
            done = self.succeed(self.config(f"r{ranks}", model={**keys, "dtype": "float64"}), ranks=ranks)
        for key in ("loss", "grad_norm", "eval_loss"):
            for step, value in self.lines("r1", key).items():
                self.assertAlmostEqual(self.lines("r3", key)[step], value, delta=1e-12 * max(1, abs(value)))
        losses = list(self.lines("r3").values())
        self.assertLess(sum(losses[-10:]), sum(losses[:10]))
        self.succeed(self.config(model=keys), ranks=2)
        theirs, class_name = self.transformers_predict(self.run_dir() / "model", read_rows(self.shared / "test.jsonl"))
        self.assertEqual(class_name, architecture)
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), theirs)
        return done


class Families(FamilyTests):
    def train_family(self, family, architecture, **options):
        return self.train_and_compare(make_family(family, self.home / "model", **options), architecture)

    def test_roberta_from_its_vocabulary_alone(self):
        self.train_family("roberta", "RobertaForSequenceClassification", only_vocabulary=True)
        exported = self.run_dir() / "model"
        for name in ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"):
            self.assertTrue((exported / name).exists(), name)
        names = {token for key, token in json.loads((exported / "tokenizer_config.json").read_text()).items() if key.endswith("_token")}
        self.assertEqual(names, {"<s>", "</s>", "<unk>", "<pad>", "<mask>"})

    def test_distilbert_from_its_vocabulary_alone(self):
        self.train_family("distilbert", "DistilBertForSequenceClassification", only_vocabulary=True)

    def test_xlm_roberta(self):
        self.train_family("xlm-roberta", "XLMRobertaForSequenceClassification")

    def test_camembert(self):
        self.train_family("camembert", "CamembertForSequenceClassification")

    def test_pairs_and_texts_that_spell_special_tokens_out(self):
        draw = random.Random(3)
        rows = make_rows(60, 6, pairs=True)
        for row in rows[::3]:
            row["text"] = row["text"].replace(" ", draw.choice([" <pad> ", "</s>", " [PAD]"]), 1)
        write_rows(self.home / "pairs.jsonl", rows)
        data = {"train_file": str(self.home / "pairs.jsonl"), "test_file": str(self.home / "pairs.jsonl"), "validation_file": None, "text_pair_column": "second", "max_length": 21}
        for family in ("roberta", "distilbert"):
            model = make_family(family, self.home / family)
            self.succeed(self.config(f"run_{family}", model={"model_name_or_path": str(model)}, data=data), ranks=2)
            theirs, _ = self.transformers_predict(self.run_dir(f"run_{family}") / "model", rows, pair="second", max_length=21)
            self.assert_same_scores(read_rows(self.run_dir(f"run_{family}") / "predictions.jsonl"), theirs)

    def test_a_model_that_transformers_wrote_predicts_here_what_it_predicts_there(self):
        for family in ("roberta", "distilbert"):
            model = make_family(family, self.home / family)
            rows = read_rows(self.shared / "test.jsonl")
            self.succeed("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / f"{family}.jsonl", ranks=2)
            self.assert_same_scores(read_rows(self.home / f"{family}.jsonl"), self.transformers_predict(model, rows)[0])

    def test_base_class_directories_load_and_say_what_is_new_and_what_is_left(self):
        news = {"roberta": ["classifier.dense.weight", "classifier.out_proj.bias", "in the weight files, not used: roberta.pooler.dense.bias"], "distilbert": ["pre_classifier.weight", "classifier.bias"]}
        for family, expected in news.items():
            model = make_family(family, self.home / family, base_class=True)
            done = self.succeed(self.config(f"run_{family}", model={"model_name_or_path": str(model)}, train={"max_steps": 2}))
            for part in expected:
                self.assertIn(part, done.err)
            self.assertNotIn("query", done.err)

    def test_frozen_parts_keep_their_bytes(self):
        from safetensors import safe_open

        for family, freeze in {"roberta": {"all_but_last": 1}, "distilbert": {"freeze": ["embeddings", "layer\\.0"]}}.items():
            model = make_family(family, self.home / family)
            self.succeed(self.config(f"run_{family}", model={"model_name_or_path": str(model)}, freeze=freeze), ranks=3)
            before, after = safe_open(model / "model.safetensors", "np"), safe_open(self.run_dir(f"run_{family}") / "model" / "model.safetensors", "np")
            for name in before.keys():
                same = before.get_tensor(name).tobytes() == after.get_tensor(name).tobytes()
                self.assertEqual(same, "layer.1" not in name and "classifier" not in name, name)

    def test_a_length_beyond_the_positions_of_text_is_refused(self):
        model = make_family("roberta", self.home / "roberta")
        done = self.run_program(self.config(model={"model_name_or_path": str(model)}, data={"max_length": 65}))
        self.assertEqual(done.code, 78)
        self.assertIn("data.max_length is 65, and the model has positions for 64 tokens", done.err)


if __name__ == "__main__":
    unittest.main()
