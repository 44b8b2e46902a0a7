"""Pairs of a source and a target, as a user brings them: what `prepare` makes of them, and what it says of bad ones."""
import json
import unittest

from harness import WORDS, EndToEnd, write_rows


def make_translator(directory, vocab_size=None, **changes):
    """A random T5 of a few blocks in Hugging Face layout, whose tokens are WORDS and letters."""
    import torch
    import transformers

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -9.0)] + [(f"\u2581{word}", -3.0) for word in WORDS] + [(c, -6.0) for c in "abcdefghijklmnopqrstuvwxyz0123456789:"]
    tokenizer = transformers.T5Tokenizer(vocab=pieces, extra_ids=0)
    tokenizer.save_pretrained(directory)
    torch.manual_seed(7)
    config = transformers.T5Config(**{**dict(vocab_size=vocab_size or len(pieces), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu",
                                             decoder_start_token_id=0), **changes})
    model = transformers.T5ForConditionalGeneration(config)
    model.save_pretrained(directory)
    return directory


def make_bart(directory, **generation):
    """A random BART of a few blocks whose tokens are WORDS. Its settings of generation stand in config.json alone, as older files have them."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: i for i, word in enumerate(["<s>", "<pad>", "</s>", "<unk>"] + WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>").save_pretrained(directory)
    torch.manual_seed(1)
    config = transformers.BartConfig(vocab_size=len(vocabulary), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64,
                                     decoder_ffn_dim=64, max_position_embeddings=64, init_std=0.3, decoder_start_token_id=2, eos_token_id=2, bos_token_id=0, pad_token_id=1)
    transformers.BartForConditionalGeneration(config).save_pretrained(directory)
    (directory / "generation_config.json").unlink()
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **generation}))
    return directory


def pair(i):
    return {"translation": {"a": f"{WORDS[i]} {WORDS[i + 1]}", "b": f"{WORDS[i + 1]} {WORDS[i]}"}}


class Pairs(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_translator(cls.shared / "t5")

    def prepare(self, rows, *more, name="rows.jsonl", **data):
        path = self.home / name
        path.write_text(rows) if isinstance(rows, str) else write_rows(path, rows)
        data = {"train_file": str(path), "validation_file": None, "test_file": None, "max_length": None, **data}
        model = {"model_name_or_path": str(self.shared / "t5"), "task": "seq2seq_lm"}
        return self.run_program("prepare", self.config(model=model, data=data), *more)

    def refused(self, code, rows, wanted, **data):
        done = self.prepare(rows, **data)
        self.assertEqual(done.code, code, done.err)
        self.assertIn(wanted, done.err)

    def test_prepare_shows_what_is_read_and_what_is_written(self):
        done = self.prepare([pair(0), pair(3)], "--show", "2", source_lang="a", target_lang="b", source_prefix="word9 ")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("row 0  7 tokens, 3 of them trained\nword9 word0 word1</s>\n→ [[word1 word0</s>]]\n", done.out)
        self.assertIn("pairs, of which the target is trained; each source behind 'word9 '; sources have at most max_length = 512, targets max_target_length = 512", done.err)

    def test_tables_give_the_same_samples(self):
        text = "b\ta\n" + "".join(f"{pair(i)['translation']['b']}\t{pair(i)['translation']['a']}\n" for i in range(9))
        shown = [self.prepare(rows, "--show", "9", name=name, **data).out.split("\n/")[0] for rows, name, data in (
            ([pair(i) for i in range(9)], "rows.jsonl", {"source_lang": "a", "target_lang": "b"}),
            (text, "rows.tsv", {"source_column": "a", "target_column": "b"}),
            (text.replace("\t", ","), "rows.csv", {"source_column": "a", "target_column": "b"}))]
        self.assertEqual(shown[0].count("→"), 9)
        self.assertEqual(shown[1], shown[0])
        self.assertEqual(shown[2], shown[0])

    def test_bad_pairs_are_told_with_file_line_and_cure(self):
        rows = [pair(i) for i in range(3)]
        self.refused(79, rows, "rows.jsonl:1: has a translation, and data.source_lang does not say which of its languages is read; it has: 'a', 'b'")
        self.refused(79, rows + [{"translation": {"a": "word1", "c": "word2"}}], "rows.jsonl:4: its translation has no 'b' (data.target_lang); it has: 'a', 'c'", source_lang="a", target_lang="b")
        self.refused(79, [{"source": "word1", "target": " "}], "rows.jsonl:1: column 'target' is empty")
        self.refused(79, [{"source": "", "target": "word1"}], "rows.jsonl:1: column 'source' is empty")
        self.refused(79, [{"src": "word1", "target": "word1"}], "(data.source_column, data.target_column), or translation; the row has: 'src', 'target'")
        self.refused(79, [{"source": "word1 " * 9, "target": "word1"}], "rows.jsonl:1: the source has 10 tokens, and the limit is max_length = 8; raise it", truncation="error", max_length=8)
        self.refused(79, [{"source": "word1", "target": "word1 word2"}], "the target has 3 tokens, and the limit is max_target_length = 2", truncation="error", max_target_length=2)
        self.refused(78, rows, "max_target_length = 1 leaves no room for a text beside the token that ends it", max_target_length=1)
        self.refused(78, rows, "data.truncation = 'split' is not for seq2seq_lm; wanted one of: drop, right, error", truncation="split")
        done = self.prepare([{"source": "word1", "target": " "}, {"source": "word1", "target": "word2"}], on_bad_row="skip")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("1 bad rows left out", done.err)

    def test_a_tokenizer_of_another_model_is_told(self):
        config = json.loads((self.shared / "t5/config.json").read_text())
        other = make_translator(self.home / "t5", vocab_size=70)
        self.assertGreater(config["vocab_size"], 70)
        write_rows(self.home / "rows.jsonl", [{"source": "word1", "target": "xyz"}])
        done = self.run_program("prepare", self.config(model={"model_name_or_path": str(other), "task": "seq2seq_lm"},
                                                       data={"train_file": str(self.home / "rows.jsonl"), "validation_file": None, "test_file": None}))
        self.assertEqual(done.code, 79, done.err)
        self.assertIn("Tokenizer and model do not belong together", done.err)


if __name__ == "__main__":
    unittest.main()
