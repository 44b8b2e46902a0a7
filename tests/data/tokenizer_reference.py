"""Token ids by transformers' AutoTokenizer over small tokenizers and texts that are hard to cut, for tokenizer_test.cpp.

    tokenizer_reference.py FILE.json           writes them
    tokenizer_reference.py --check FILE.json   fails where the file no longer says what the installed versions say
"""
import json
import os
import sys
import tempfile

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AlbertTokenizer, AutoTokenizer, CamembertTokenizer, XLMRobertaTokenizer, XLNetTokenizer

# (text, how often it is repeated)
TEXTS = [
    ("The quick brown fox jumps over the lazy dog, twice.", 1),
    ("", 1),
    (" \t\r\n\u00a0\u3000", 1),
    ("Naïve café, résumé, ÅNGSTRÖM, straße, İstanbul, ǅ, ﬁne", 1),
    ("e\u0301 n\u0303 a\u030a\u0323 \u0301 alone, \u200d joined, \u0940 sign", 1),
    ("漢字かな交じり文 and 中文字符, 한국어, \u3400\u20000\U0002f800", 1),
    ("😀 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 text😀text", 1),
    ("مرحبا بالعالم שלום \u202eright to left\u202c", 1),
    ("nul\x00inside \x01\x07\x7f control \ufffd replacement \ufeff mark", 1),
    ("line one\r\nline two\rline three\nlast\x0b\x0c\x85\u2028\u2029", 1),
    ("[CLS] specials [SEP] in [MASK] text [PAD][UNK] [cls]", 1),
    ("don't snake_case CamelCase e-mail@example.org http://a.b/c?d=e&f=g#h $3.50 100% 1,000,000 ~`^", 1),
    ("\u2014dash\u2026 \u201cquoted\u201d \u00abguillemets\u00bb \u00bfque? \u0964\u104a", 1),
    ("x", 100),
    ("x", 101),
    ("ab", 5000),
    ("𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ½ ² ℃ № ㍿ ｆｕｌｌ", 1),
    ("word ", 40),
    ("the lazy dog. ", 500),
    ("<s>specials</s> in <pad> a  <mask>  text<unk> <pad><mask>", 1),
]
# No long ones: truncated pairs take transformers quadratic time and memory.
PAIRS = [(0, 3), (3, 0), (0, 1), (1, 0), (1, 1), (5, 6), (17, 0), (0, 17), (17, 17), (17, 11), (8, 9), (13, 15), (19, 6)]
# As word by word annotation brings them: odd spaces, empty words, words of nothing that a token could be made of.
WORD_LISTS = [
    ["The", "quick", "brown", "foxes", "jumped", ",", "twice", "."],
    [],
    [""],
    ["", "dog", "", "", "lazy"],
    ["\u200d", "dog", "\x01", "\x7f", " ", "\u00a0", "\t", "end"],
    ["New York", " leading", "trailing ", "two  spaces", "line\nbreak"],
    ["Naïve", "cafés", "straße", "e\u0301", "ÅNGSTRÖM", "ﬁne"],
    ["漢字かな", "中文字符", "한국어", "😀", "👩‍👩‍👧‍👦"],
    ["[CLS]", "[MASK]", "text[SEP]", "<s>", "</s>"],
    ["don't", "e-mail@example.org", "1.2.3-4+deb12u1", "libfoo-dev", "/etc/passwd", "--help"],
    ["x" * 120, "dog", "nul\x00inside"],
    ["word"] * 30 + ["snake_case", "ing"],
]
LENGTHS = [None, 3, 5, 8, 17]
# Of tokenizers whose kind of template was cut at all lengths already.
FAMILY = ("RoBERTa", "CamemBERT", "DistilBERT", "begin with a space", "ModernBERT", "ALBERT", "XLNet")
FAMILY_LENGTHS = [None, 8]
LONGEST_KEPT = 600  # an untruncated result above this says nothing that a shorter one does not
FAMILY_LONGEST_KEPT = 130

WORDS = """the of and to in a is it you that he was for on are with as his they be at one have this from or had by
words but what some we can out other were all there when up use your how said an each she which do their time if will
way about many then them write would like so these her long make thing see him two has look more day could go come did
my sound no most number who over know water than call first people may down side been now find quick brown fox jumps
lazy dog twice line last text café résumé""".split()


def wordpiece_vocabulary(lowercase):
    letters = sorted({c for text, _ in TEXTS for c in text if not c.isspace() and c.isprintable() and ord(c) < 0x2E80})
    if lowercase:
        letters = sorted({c for letter in letters for c in letter.lower()})
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + ["##" + letter for letter in letters]
    tokens += WORDS + ["##ing", "##s", "##ed", "##ab", "漢", "字", "中", "文", "##文", "한국", "##어", "😀"]
    return list(dict.fromkeys(tokens))


def bert_files(config, lowercase=True):
    return {
        "config.json": json.dumps({"model_type": "bert"}),
        "tokenizer_config.json": json.dumps({"tokenizer_class": "BertTokenizer", **config}),
        "vocab.txt": "\n".join(wordpiece_vocabulary(lowercase)) + "\n",
    }


def saved(files):
    """What save_pretrained makes of them: a tokenizer.json."""
    with tempfile.TemporaryDirectory() as source, tempfile.TemporaryDirectory() as target:
        load(files, source).save_pretrained(target)
        kept = ["tokenizer.json", "tokenizer_config.json"]
        out = {name: open(os.path.join(target, name), encoding="utf-8").read() for name in kept}
        return {"config.json": files["config.json"], **out}


def byte_level_files():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([text for text, _ in TEXTS] + WORDS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>",
              "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    return {"tokenizer.json": tokenizer.to_str(), "tokenizer_config.json": json.dumps(config)}


def modernbert_files():
    """NFC in front of GPT-2's way; tokens of white space and of masked names, and a mask that takes the space before it."""
    tokenizer = Tokenizer.from_str(byte_level_files()["tokenizer.json"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens([AddedToken("|||IP_ADDRESS|||", normalized=True), AddedToken("  ", normalized=True), AddedToken("    ", normalized=True)])
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False, lstrip=token == "[MASK]") for token in special])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0", special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")])
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids", "attention_mask"], "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]",
              "cls_token": "[CLS]", "mask_token": "[MASK]"}
    return {"config.json": json.dumps({"model_type": "modernbert"}), "tokenizer.json": tokenizer.to_str(), "tokenizer_config.json": json.dumps(config)}


def unigram_files(model_type, tokenizer_class, special, **config):
    """What the class saves, and settings that it lets win over the file."""
    words = sorted({"\u2581" + word for word in WORDS if len(word) > 2})
    letters = sorted({c for text, _ in TEXTS for c in text if not c.isspace() and c.isprintable() and ord(c) < 0x250} | {"\u2581"})
    pieces = [(token, 0.0) for token in special]
    pieces += [(word, -5.0 - i / 50) for i, word in enumerate(words)] + [(letter, -9.0 - i / 50) for i, letter in enumerate(letters)]
    with tempfile.TemporaryDirectory() as target:
        tokenizer_class(vocab=pieces).save_pretrained(target)
        files = {name: open(os.path.join(target, name), encoding="utf-8").read() for name in ["tokenizer.json", "tokenizer_config.json"]}
    files["tokenizer_config.json"] = json.dumps({**json.loads(files["tokenizer_config.json"]), **config})
    return {"config.json": json.dumps({"model_type": model_type}), **files}


def albert_files(**config):
    return unigram_files("albert", AlbertTokenizer, ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], **config)


def roberta_files(model_type="roberta", **config):
    """What RobertaTokenizer has without a tokenizer.json."""
    backend = json.loads(byte_level_files()["tokenizer.json"])["model"]
    return {
        "config.json": json.dumps({"model_type": model_type}),
        "vocab.json": json.dumps(backend["vocab"]),
        "merges.txt": "#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in backend["merges"]),
        **({"tokenizer_config.json": json.dumps(config)} if config else {}),
    }


def sentencepiece_files(model_type, tokenizer):
    """XLM-RoBERTa's and CamemBERT's classes over a vocabulary of pieces."""
    words = {"\u2581" + word for word in WORDS if len(word) > 2}
    letters = {c for text, _ in TEXTS for c in text if not c.isspace() and c.isprintable() and ord(c) < 0x600} | {"\u2581"}
    head = ["<s>", "<pad>", "</s>", "<unk>"] if model_type == "xlm-roberta" else ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"]
    pieces = [(token, 0.0) for token in head] + [(word, -5.0 - i / 50) for i, word in enumerate(sorted(words))]
    pieces += [(letter, -9.0 - i / 50) for i, letter in enumerate(sorted(letters))] + [("<mask>", 0.0)]
    with tempfile.TemporaryDirectory() as target:
        tokenizer(vocab=pieces).save_pretrained(target)
        files = {name: open(os.path.join(target, name), encoding="utf-8").read() for name in ["tokenizer.json", "tokenizer_config.json"]}
    return {"config.json": json.dumps({"model_type": model_type}), **files}


def bare_files():
    """No special tokens, a normalizer that is not BERT's, truncation and padding left in the file."""
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "the": 1, "lazy": 2, "dog": 3, ".": 4}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(7)
    tokenizer.enable_padding(length=9)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "pad_token": "<unk>"}
    return {"tokenizer.json": tokenizer.to_str(), "tokenizer_config.json": json.dumps(config)}


def load(files, directory):
    for name, content in files.items():
        with open(os.path.join(directory, name), "w", encoding="utf-8", newline="") as out:
            out.write(content)
    return AutoTokenizer.from_pretrained(directory)


def cases(tokenizer, lengths, longest_kept):
    inputs = [(i, None) for i in range(len(TEXTS))] + PAIRS
    text = lambda i: TEXTS[i][0] * TEXTS[i][1]
    for length in lengths:
        for side in ["right", "left"] if length else ["right"]:
            tokenizer.truncation_side = side
            for first, second in inputs:
                if length == 3 and second is not None:
                    continue  # all special tokens
                # In lists, as for a dataset: alone, an empty second text would count as none.
                texts = [[text(first)]] if second is None else [[text(first)], [text(second)]]
                out = tokenizer(*texts, truncation=length is not None, max_length=length, return_token_type_ids=True)
                ids, segments = out["input_ids"][0], out["token_type_ids"][0]
                if len(ids) > longest_kept:
                    continue
                yield {"first": first, "second": second, "max_length": length or 0, "side": side,
                       "ids": ids, "segments": "".join(map(str, segments))}


def word_cases(tokenizer):
    for length in [None, 3, 5, 8, 17]:
        for side in ["right", "left"] if length else ["right"]:
            tokenizer.truncation_side = side
            for i, words in enumerate(WORD_LISTS):
                # In lists, as for a dataset: alone, no words would count as no text.
                out = tokenizer([words], is_split_into_words=True, truncation=length is not None, max_length=length)
                words_of = [-1 if word is None else word for word in out.word_ids(0)]
                yield {"first": i, "max_length": length or 0, "side": side, "ids": out["input_ids"][0], "words": words_of}


def all_tokenizers():
    uncased = bert_files({})
    cased = bert_files({"do_lower_case": False, "tokenize_chinese_chars": False}, lowercase=False)
    overruled = saved(uncased)
    overruled["tokenizer_config.json"] = json.dumps(
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": True})
    added = {"added_tokens_decoder": {"1": {"content": "[UNK]", "single_word": False, "lstrip": False, "rstrip": False,
                                            "normalized": False, "special": True},
                                      "9999": {"content": "snake_case", "single_word": True, "lstrip": False,
                                               "rstrip": False, "normalized": True, "special": False}}}
    return {
        "vocab.txt, uncased": uncased,
        "vocab.txt, cased": cased,
        "vocab.txt, accents stripped, case kept": bert_files({"do_lower_case": False, "strip_accents": True}),
        "vocab.txt, accents kept, CRLF": {**(files := bert_files({"strip_accents": False})),
                                          "vocab.txt": files["vocab.txt"].replace("\n", "\r\n")},
        "vocab.txt with an added token": bert_files(added),
        "tokenizer.json of BERT": saved(uncased),
        "tokenizer.json overruled by its config": overruled,
        "byte-level BPE": byte_level_files(),
        "vocab.json and merges.txt, RoBERTa": roberta_files(),
        "vocab.json and merges.txt, words begin with a space": roberta_files(
            tokenizer_class="RobertaTokenizerFast", add_prefix_space=True, trim_offsets=False,
            mask_token={"__type": "AddedToken", "content": "<mask>", "lstrip": True, "normalized": False}),
        "tokenizer.json of RoBERTa": saved(roberta_files()),
        "tokenizer.json of RoBERTa overruled by its config": {
            **saved(roberta_files()),
            "tokenizer_config.json": json.dumps({"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True})},
        "tokenizer.json alone, of RoBERTa": {k: v for k, v in saved(roberta_files()).items() if k != "tokenizer_config.json"},
        "tokenizer.json of XLM-RoBERTa": sentencepiece_files("xlm-roberta", XLMRobertaTokenizer),
        "tokenizer.json of CamemBERT": sentencepiece_files("camembert", CamembertTokenizer),
        "tokenizer.json of DistilBERT": saved({**bert_files({"tokenizer_class": "DistilBertTokenizer"}), "config.json": json.dumps({"model_type": "distilbert"})}),
        "tokenizer.json of ModernBERT": modernbert_files(),
        "tokenizer.json of ALBERT": albert_files(),
        "tokenizer.json of ALBERT overruled by its config": albert_files(do_lower_case=False, keep_accents=True),
        "tokenizer.json of XLNet": unigram_files("xlnet", XLNetTokenizer, ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>"]),
        "without special tokens": bare_files(),
    }


def reference():
    out = {"texts": [{"text": text, "repeat": repeat} for text, repeat in TEXTS], "word_lists": WORD_LISTS, "tokenizers": []}
    for name, files in all_tokenizers().items():
        with tempfile.TemporaryDirectory() as directory:
            tokenizer = load(files, directory)
            limits = (FAMILY_LENGTHS, FAMILY_LONGEST_KEPT) if any(part in name for part in FAMILY) else (LENGTHS, LONGEST_KEPT)
            entry = {"name": name, "files": files, "vocab_size": len(tokenizer), "cases": list(cases(tokenizer, *limits)),
                     "word_cases": list(word_cases(tokenizer))}
        out["tokenizers"].append(entry)
    return out


def main():
    path = sys.argv[-1]
    text = json.dumps(reference(), separators=(",", ":")).replace("{\"first\"", "\n{\"first\"") + "\n"
    if sys.argv[1] == "--check":
        sys.exit(0 if open(path).read() == text else f"{path} is not what the installed versions give")
    open(path, "w").write(text)


main()
