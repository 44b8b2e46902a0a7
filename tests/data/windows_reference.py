"""Windows of (question, context) by transformers' fast tokenizers over small vocabularies, for windows_test.cpp.

    windows_reference.py FILE.json           writes them
    windows_reference.py --check FILE.json   fails where the file no longer says what the installed versions say
"""
import json
import os
import sys
import tempfile

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, BertTokenizer, RobertaTokenizer, XLMRobertaTokenizer

QUESTIONS = [
    "Who wrote the report?",
    "",
    "  Wo steht das Café,\r\nund wem gehört es?",
    "谁写了这份报告?",
    "Which of the many, many, many words of a long question is the one that asks something?",
]
CONTEXTS = [
    "The report was written by Ada Lovelace in 1843, and printed a year later.",
    "",
    "Das Cafe\u0301 „Zum Löwen“ gehört Frau Ångström;\r\nes steht in der Straße 5.\r\n\r\nIstanbul, İstanbul, ﬁne, ½.",
    "这份报告由张伟于２０２１年写成，共 12 页。报告第3页说：“中文字符”😀，然后结束。",
    "a 👩‍👩‍👧‍👦 family,  two  spaces,\ttabs 😀😀 \u200d\u00adsoft, nul\x00inside, \u00a0[SEP] </s> <mask> last𝔘𝔫𝔦",
    " \n ",
    "the lazy dog and the quick brown fox and " * 5,
]
LIMITS = [(384, 128), (40, 10), (24, 8), (16, 3), (12, 0), (64, 60), (9, 2), (5, 0)]  # max_length, stride
# Of the first tokenizer all are kept; of the others one in so many says enough.
THINNED = 4


def texts():
    return QUESTIONS + CONTEXTS + ["words of many " * 3]


def saved(tokenizer):
    with tempfile.TemporaryDirectory() as target:
        tokenizer.save_pretrained(target)
        kept = ["tokenizer.json", "tokenizer_config.json"]
        return {name: open(os.path.join(target, name), encoding="utf-8").read() for name in kept}


def wordpiece(**settings):
    trained = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    trained.normalizer = normalizers.BertNormalizer(lowercase=settings.get("do_lower_case", True))
    trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trained.train_from_iterator(texts(), trainers.WordPieceTrainer(vocab_size=260, special_tokens=special, show_progress=False))
    return saved(BertTokenizer(vocab=trained.get_vocab(), **settings))


def byte_level(**settings):
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=special, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    trained.train_from_iterator(texts(), trainer)
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    return saved(RobertaTokenizer(vocab=model["vocab"], merges=merges, **settings))


def sentencepiece():
    letters = sorted({c for text in texts() for c in text if not c.isspace() and c.isprintable()} | {"\u2581"})
    words = sorted({"\u2581" + word for text in texts() for word in text.split() if word.isalpha()})
    pieces = [(token, 0.0) for token in ["<s>", "<pad>", "</s>", "<unk>"]]
    pieces += [(piece, -5.0 - i / 50) for i, piece in enumerate(words + letters)] + [("<mask>", 0.0)]
    return saved(XLMRobertaTokenizer(vocab=pieces))


def windows(tokenizer, question, context, max_length, stride):
    """None where there are none: the question is too long (an exception), or the stride (a panic)."""
    try:
        out = tokenizer([question], [context], truncation="only_second", max_length=max_length, stride=stride,
                        return_overflowing_tokens=True, return_offsets_mapping=True, return_token_type_ids=True)
    except BaseException as error:
        if not any(known in str(error) for known in ["too short to respect", "strictly less than", "subtract with overflow"]):
            raise
        return None
    found = []
    for i, ids in enumerate(out["input_ids"]):
        inside = [sequence == 1 for sequence in out.sequence_ids(i)]
        # Where a model has no segments, the crate's template marks the first window alone with zeros.
        segments = out["token_type_ids"][i] if "token_type_ids" in tokenizer.model_input_names else [0] * len(ids)
        offsets = [offset if is_inside else (-1, -1) for offset, is_inside in zip(out["offset_mapping"][i], inside)]
        found.append({"ids": ids, "segments": segments,
                      "first": [first for first, _ in offsets], "end": [end for _, end in offsets]})
    return found


def cases(tokenizer, thinned):
    for k, (max_length, stride) in enumerate(LIMITS):
        for i, question in enumerate(QUESTIONS):
            for j, context in enumerate(CONTEXTS):
                if thinned and (i + j + k) % THINNED:
                    continue
                yield {"question": i, "context": j, "max_length": max_length, "stride": stride,
                       "windows": windows(tokenizer, question, context, max_length, stride)}


def reference():
    tokenizers = {
        "BERT": wordpiece(),
        "BERT, cased": wordpiece(do_lower_case=False),
        "RoBERTa": byte_level(),
        "RoBERTa, words begin with a space": byte_level(add_prefix_space=True),
        "RoBERTa, spaces kept": byte_level(trim_offsets=False),
        "XLM-RoBERTa": sentencepiece(),
    }
    out = {"questions": QUESTIONS, "contexts": CONTEXTS, "tokenizers": []}
    for name, files in tokenizers.items():
        with tempfile.TemporaryDirectory() as directory:
            for file, content in files.items():
                with open(os.path.join(directory, file), "w", encoding="utf-8", newline="") as opened:
                    opened.write(content)
            tokenizer = AutoTokenizer.from_pretrained(directory)
            out["tokenizers"].append({"name": name, "files": files, "cases": list(cases(tokenizer, bool(out["tokenizers"])))})
    return out


def main():
    path = sys.argv[-1]
    text = json.dumps(reference(), separators=(",", ":")).replace("{\"question\"", "\n{\"question\"") + "\n"
    if sys.argv[1] == "--check":
        sys.exit(0 if open(path).read() == text else f"{path} is not what the installed versions give")
    open(path, "w").write(text)


main()
