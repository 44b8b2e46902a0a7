#!/usr/bin/env python3
"""English and Chinese pairs, the messages of Debian's programs, and two small models to train on them. Writes under demo/ (git-ignored):

    data/translation_train.jsonl        some 43,000 rows: {"translation": {"en": …, "zh": …}}
    data/translation_validation.jsonl   1,000 held-out ones            data/translation_test.jsonl   2,000 more
    models/marian-en-zh                 config.json of a Marian of 4 + 4 blocks × 256, source.spm, target.spm, vocab.json
    models/t5-en-zh                     config.json of a T5 of 4 + 4 blocks × 256, spiece.model

    .deps/venv/bin/python tools/fetch_translation_demo.py

Rows are split by a hash of the English text and stand in a fixed pseudo-random order. The models have no weights: model.init = "random" trains
them from scratch. Their tokenizers are trained on the training rows alone. A second call does nothing.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from debian_descriptions import DEMO, fail, say, stable_hash
from debian_messages import fetch_pairs

NUM_VALIDATION, NUM_TEST = 1000, 2000
TOKENIZER_PACKAGE = "sentencepiece==0.2.3"
FILES = [DEMO / f"data/translation_{split}.jsonl" for split in ("train", "validation", "test")]


def splits(pairs):
    """Training, validation and test pairs."""
    ordered = sorted(pairs, key=lambda pair: stable_hash("order:" + pair[0]))
    held_out = [pair for pair in ordered if stable_hash("split:" + pair[0]) % 10 == 0]
    test, validation = held_out[:NUM_TEST], held_out[NUM_TEST:NUM_TEST + NUM_VALIDATION]
    kept = set(test + validation)
    return [pair for pair in ordered if pair not in kept], validation, test


def write_rows(path, pairs):
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps({"translation": {"en": en, "zh": zh}}, ensure_ascii=False) + "\n" for en, zh in pairs)
    say(f"{path.name}: {len(pairs):,} rows")


def load_sentencepiece(folder):
    try:
        import sentencepiece
        return sentencepiece
    except ImportError:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", str(folder), TOKENIZER_PACKAGE],
                              capture_output=True, text=True)
        if done.returncode:
            fail(f"{TOKENIZER_PACKAGE} could not be fetched: {done.stderr.strip()[:400]}", "The demo's tokenizers are trained by it.")
        sys.path.insert(0, str(folder))
        import sentencepiece
        return sentencepiece


def train_pieces(sentencepiece, texts, path, size, **options):
    """The pieces of a unigram model, by id."""
    prefix = path.with_suffix("")
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_prefix=str(prefix), vocab_size=size, hard_vocab_limit=False,
                                             character_coverage=0.9998, minloglevel=2, **options)
    pathlib.Path(f"{prefix}.model").rename(path)
    pathlib.Path(f"{prefix}.vocab").unlink()
    read = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [read.id_to_piece(i) for i in range(read.get_piece_size())]


def write_json(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def make_marian(folder, sentencepiece, pairs):
    """As OPUS models: pieces of both languages in one vocabulary, </s> first and <pad> last."""
    pieces = [train_pieces(sentencepiece, [pair[side] for pair in pairs], folder / name, 8000) for side, name in enumerate(("source.spm", "target.spm"))]
    tokens = list(dict.fromkeys(["</s>", "<unk>", *(piece for part in pieces for piece in part if piece != "<s>"), "<pad>"]))
    pad = len(tokens) - 1
    write_json(folder / "vocab.json", {token: i for i, token in enumerate(tokens)})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "zh", "model_max_length": 512})
    write_json(folder / "config.json", {
        "model_type": "marian", "architectures": ["MarianMTModel"], "vocab_size": len(tokens), "decoder_vocab_size": len(tokens), "d_model": 256,
        "encoder_layers": 4, "decoder_layers": 4, "encoder_attention_heads": 8, "decoder_attention_heads": 8, "encoder_ffn_dim": 1024, "decoder_ffn_dim": 1024,
        "activation_function": "swish", "dropout": 0.1, "attention_dropout": 0.0, "activation_dropout": 0.0, "max_position_embeddings": 512, "init_std": 0.02,
        "scale_embedding": True, "normalize_before": False, "static_position_embeddings": True, "share_encoder_decoder_embeddings": True, "tie_word_embeddings": True,
        "eos_token_id": 0, "forced_eos_token_id": 0, "pad_token_id": pad, "decoder_start_token_id": pad})
    write_json(folder / "generation_config.json", {
        "eos_token_id": 0, "pad_token_id": pad, "decoder_start_token_id": pad, "bad_words_ids": [[pad]], "num_beams": 4, "max_length": 128})


def make_t5(folder, sentencepiece, pairs):
    pieces = train_pieces(sentencepiece, [text for pair in pairs for text in pair], folder / "spiece.model", 12000, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "model_max_length": 512})
    write_json(folder / "config.json", {
        "model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "vocab_size": len(pieces), "d_model": 256, "d_kv": 32, "d_ff": 1024, "num_layers": 4,
        "num_decoder_layers": 4, "num_heads": 8, "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "dropout_rate": 0.1,
        "layer_norm_epsilon": 1e-6, "initializer_factor": 1.0, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "is_encoder_decoder": True,
        "eos_token_id": 1, "pad_token_id": 0, "decoder_start_token_id": 0})


MODELS = {DEMO / "models/marian-en-zh": make_marian, DEMO / "models/t5-en-zh": make_t5}


def make_models(models, pairs):
    """Of {folder: what fills it}."""
    with tempfile.TemporaryDirectory() as reader:
        sentencepiece = load_sentencepiece(pathlib.Path(reader))
        for folder, make in models.items():
            part = folder.with_name(folder.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            make(part, sentencepiece, pairs)
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
            say(f"{folder.relative_to(DEMO.parent)}: {json.loads((folder / 'config.json').read_text())['vocab_size']:,} tokens")


def main():
    if all(path.exists() for path in FILES) and all((folder / "config.json").exists() for folder in MODELS):
        return
    (DEMO / "data").mkdir(parents=True, exist_ok=True)
    parts = splits(fetch_pairs())
    make_models(MODELS, parts[0])
    for path, pairs in zip(FILES, parts):
        write_rows(path, pairs)


if __name__ == "__main__":
    main()
