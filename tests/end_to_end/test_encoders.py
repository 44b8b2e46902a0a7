"""ModernBERT, ELECTRA, ALBERT, DeBERTa-v2 and XLNet as a user has them: their tokenizers and files, each task trained, exported, and read by transformers."""
import json
import unittest

import squad
import test_question_answering as questions
import test_token_classification as tags
from harness import LABELS, WORDS, make_model, make_rows, read_rows, write_rows
from test_families import FamilyTests

ODD = ["", " ", "  two  spaces\tand a tab\nand a line", "cafe\u0301 caf\u00e9 \ufb01ne \u00c5ngstr\u00f6m", "word1[MASK] [SEP]word2", "|||IP_ADDRESS|||  word3", "\u6f22\u5b57\u304b\u306a \ud55c\uad6d\uc5b4 \U0001f600\u200d", "don't Word4 WORD5", "a\u00a0b\u3000c ``quoted'' 1,000"]
SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


def modernbert_tokenizer(directory):
    """A byte-level BPE of ModernBERT's kind: NFC in front, tokens of white space and of masked names, a mask that takes the space before it."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([row["text"] for row in make_rows(200, 11)], trainer)
    tokenizer.add_tokens([AddedToken("|||IP_ADDRESS|||", normalized=True), AddedToken("  ", normalized=True), AddedToken("    ", normalized=True)])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False, lstrip=token == "[MASK]") for token in SPECIAL])
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", sep_token="[SEP]", pad_token="[PAD]", cls_token="[CLS]", mask_token="[MASK]", model_input_names=["input_ids", "attention_mask"])
    fast.save_pretrained(directory)
    return fast


def albert_tokenizer(directory):
    from transformers import AlbertTokenizer

    pieces = [("<pad>", 0.0), ("<unk>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0)] + [("\u2581" + word, -3.0 - i / 50) for i, word in enumerate(WORDS)]
    pieces += [(letter, -9.0) for letter in "\u2581abcdefghijklmnopqrstuvwxyz0123456789"]
    tokenizer = AlbertTokenizer(vocab=pieces)
    tokenizer.save_pretrained(directory)
    return tokenizer


def deberta_tokenizer(directory):
    from transformers import DebertaV2Tokenizer

    pieces = [("[PAD]", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[UNK]", 0.0)] + [("\u2581" + word, -3.0 - i / 50) for i, word in enumerate(WORDS)]
    pieces += [(letter, -9.0) for letter in "\u2581abcdefghijklmnopqrstuvwxyz0123456789"]
    tokenizer = DebertaV2Tokenizer(vocab=pieces)
    tokenizer.save_pretrained(directory)
    return tokenizer


def xlnet_tokenizer(directory):
    from transformers import XLNetTokenizer

    pieces = [(token, 0.0) for token in ("<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>")] + [("\u2581" + word, -3.0 - i / 50) for i, word in enumerate(WORDS)]
    pieces += [(letter, -9.0) for letter in "\u2581abcdefghijklmnopqrstuvwxyz0123456789"]
    tokenizer = XLNetTokenizer(vocab=pieces)
    tokenizer.save_pretrained(directory)
    return tokenizer


def make_encoder(family, directory):
    """The base model of the family, random, in Hugging Face layout."""
    import torch
    from transformers import AlbertConfig, AutoModel, DebertaV2Config, ElectraConfig, ModernBertConfig, XLNetConfig

    directory.mkdir()
    small = dict(hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48, max_position_embeddings=64, initializer_range=0.1)
    if family == "modernbert":
        tokenizer = modernbert_tokenizer(directory)
        config = ModernBertConfig(vocab_size=len(tokenizer), local_attention=8, pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.cls_token_id, eos_token_id=tokenizer.sep_token_id,
                                  cls_token_id=tokenizer.cls_token_id, sep_token_id=tokenizer.sep_token_id, classifier_pooling="mean", **small)
    elif family == "electra":
        make_model(directory)
        config = ElectraConfig(vocab_size=5 + len(WORDS) + 4, embedding_size=12, **small)
    elif family == "deberta":
        config = DebertaV2Config(vocab_size=len(deberta_tokenizer(directory)), relative_attention=True, share_att_key=True, pos_att_type="p2c|c2p", position_buckets=8, norm_rel_ebd="layer_norm",
                                 position_biased_input=False, **small)
    elif family == "xlnet":
        config = XLNetConfig(vocab_size=len(xlnet_tokenizer(directory)), d_model=32, n_layer=3, n_head=4, d_inner=48, initializer_range=0.1, pad_token_id=5)
    else:
        config = AlbertConfig(vocab_size=len(albert_tokenizer(directory)), embedding_size=12, **small)
    torch.manual_seed(7)
    AutoModel.from_config(config).save_pretrained(directory)
    if family == "modernbert":  # as the files of the first ModernBERTs say it
        said = json.loads((directory / "config.json").read_text())
        for key in ("layer_types", "rope_parameters"):
            said.pop(key, None)
        said.update(global_attn_every_n_layers=3, global_rope_theta=160000.0, local_rope_theta=10000.0)
        (directory / "config.json").write_text(json.dumps(said))
    return directory


class Encoders(FamilyTests):
    one_thread = {"threads": 1}
    architectures = {"modernbert": "ModernBert", "electra": "Electra", "albert": "Albert", "deberta": "DebertaV2", "xlnet": "XLNet"}

    def each(self):
        return [(family, make_encoder(family, self.home / family)) for family in self.architectures]

    def train_on(self, name, model, task, rows, ranks=1, **sections):
        files = {}
        for part, count in (("train", 90), ("validation", 23), ("test", 31)):
            files[f"{part}_file"] = str(self.home / f"{part}.jsonl")
            write_rows(files[f"{part}_file"], rows(count, len(part)))
        self.succeed(self.config(name, model={"model_name_or_path": str(model), "task": task}, data={**files, **sections.pop("data", {})}, train={"num_train_epochs": 2}, top=self.one_thread, **sections), ranks=ranks)
        return read_rows(files["test_file"]), read_rows(self.run_dir(name) / "predictions.jsonl")

    def test_deberta_gives_the_same_bits_on_one_and_two_ranks_and_where_blocks_run_again(self):
        model, weights = make_encoder("deberta", self.home / "deberta"), []
        for ranks, again in ((1, False), (2, False), (2, True)):
            train = {"max_steps": 3, "gradient_checkpointing": again}
            self.succeed(self.config(f"r{ranks}{again}", model={"model_name_or_path": str(model)}, train=train, top={**self.one_thread, "deterministic": True}), ranks=ranks)
            weights.append((self.run_dir(f"r{ranks}{again}") / "model/model.safetensors").read_bytes())
        self.assertEqual(weights[1:], weights[:2])

    def test_xlnet_goes_on_with_the_same_bits(self):
        model, weights = make_encoder("xlnet", self.home / "xlnet"), []
        for name in ("straight", "killed"):
            config = self.config(name, model={"model_name_or_path": str(model)}, train={"max_steps": 8}, save={"save_strategy": "steps", "save_steps": 3}, top=self.one_thread)
            if name == "killed":
                self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@5=kill"}).code, 0)
            done = self.succeed(config, ranks=2)
            weights.append((self.run_dir(name) / "model/model.safetensors").read_bytes())
        self.assertIn("step 3", done.err)
        self.assertEqual(*weights)

    def test_classes_of_texts_odd_ones_among_them(self):
        odd = [{"text": text, "label": LABELS[0]} for text in ODD]
        for family, model in self.each():
            self.succeed(self.config(family, model={"model_name_or_path": str(model)}, train={"num_train_epochs": 2}, top=self.one_thread), ranks=2)
            losses = list(self.lines(family).values())
            self.assertLess(sum(losses[-8:]), sum(losses[:8]))
            rows = read_rows(self.shared / "test.jsonl") + odd
            write_rows(self.home / "rows.jsonl", rows)
            exported = self.run_dir(family) / "model"
            self.succeed("predict", exported, "--input", self.home / "rows.jsonl", "--output", self.home / "out.jsonl")
            theirs, class_name = self.transformers_predict(exported, rows)
            self.assertEqual(class_name, f"{self.architectures[family]}ForSequenceClassification")
            self.assert_same_scores(read_rows(self.home / "out.jsonl"), theirs)

    def test_the_pooling_that_is_asked_for_is_what_transformers_reads(self):
        model = make_encoder("modernbert", self.home / "modernbert")
        self.succeed(self.config(model={"model_name_or_path": str(model), "pooling": "cls"}, train={"max_steps": 4}, top=self.one_thread))
        exported = self.run_dir() / "model"
        self.assertEqual(json.loads((exported / "config.json").read_text())["classifier_pooling"], "cls")
        theirs, _ = self.transformers_predict(exported, read_rows(self.shared / "test.jsonl"))
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), theirs)

    def test_tags_of_words(self):
        from seqeval.metrics.sequence_labeling import get_entities

        for family, model in self.each():
            rows, ours = self.train_on(f"tags_{family}", model, "token_classification", tags.make_tagged, ranks=2, data={"max_length": 60})
            theirs = tags.TokenClassification.tags_of_transformers(self, self.run_dir(f"tags_{family}") / "model", rows, max_length=60)
            for mine, reference in zip(ours, theirs):
                self.assertEqual(mine["tags"], [tag for tag, _ in reference])
                for entity, (_, first, last) in zip(mine["entities"], get_entities(mine["tags"])):
                    self.assertAlmostEqual(entity["score"], min(score for _, score in reference[first:last + 1]), delta=1e-5)

    def test_answers_to_questions(self):
        for family, model in self.each():
            if family == "xlnet":
                write_rows(self.home / "rows.jsonl", questions.make_questions(9, 3))
                files = {f"{part}_file": str(self.home / "rows.jsonl") for part in ("train", "validation", "test")}
                done = self.run_program(self.config(model={"model_name_or_path": str(model), "task": "question_answering"}, data=files))
                self.assertEqual(done.code, 78)
                self.assertIn("model_type xlnet is built for text_classification and token_classification, not for a class that ends in ForQuestionAnswering", done.err)
                continue
            rows, ours = self.train_on(f"questions_{family}", model, "question_answering", questions.make_questions, data={"max_length": 48, "doc_stride": 8})
            squad.assert_answers_of_transformers(self, ours, self.run_dir(f"questions_{family}") / "model", rows, 48, 8)

    def test_blocks_that_share_weights_are_not_frozen_apart(self):
        model = make_encoder("albert", self.home / "albert")
        done = self.run_program(self.config(model={"model_name_or_path": str(model)}, freeze={"all_but_last": 2}))
        self.assertEqual(done.code, 78)
        self.assertIn("freeze.all_but_last: 3 of the model's 3 blocks share their weights", done.err)
        self.succeed(self.config("head", model={"model_name_or_path": str(model)}, freeze={"all_but_last": 0}, train={"max_steps": 3}, top=self.one_thread))


if __name__ == "__main__":
    unittest.main()
