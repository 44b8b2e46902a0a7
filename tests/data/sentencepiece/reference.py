"""Ids of SentencePiece tokenizers against transformers, live: MarianTokenizer (source.spm, target.spm, vocab.json),
T5Tokenizer, AlbertTokenizer and XLNetTokenizer (spiece.model), DebertaV2Tokenizer (spm.model), XLMRobertaTokenizer and CamembertTokenizer (tokenizer.json),
over models that sentencepiece trains here.

    reference.py CUT_TEXTS

Texts are English and Chinese: messages of this machine's programs where it has any, sentences made of lists of words,
and texts that are hard to normalize or to cut. Ids must be equal, and so must be what Marian's ids spell.
"""
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import sentencepiece
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import AlbertTokenizer, AutoTokenizer, DebertaV2Tokenizer, MarianTokenizer, T5Tokenizer, XLNetTokenizer
except ImportError as missing:
    print(f"SKIPPED: no id was compared, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))
import debian_messages

NUM_TEXTS = 10_000
ENGLISH = """the The a of to and in is that for it as was with be by on not this have from or had an they which one you were all her would
    there their we him been has when who will no more if out so up said what its about than into them can only other time new some
    could these two may first then do any like package library Debian server users files network don't U.S. e.g. 3.14 1,000 10-20
    %s %d C++ a.b.c x,y 50% $5 (see [1] "quoted" 'single' -- --help well-known hello, world. end! why? café naïve Straße İstanbul""".split()
CHINESE = list("的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方，。、：“”《》（）！？") + [
    "软件包", "服务器", "网络", "用户", "文件", "无法", "打开", "%s", "%d", "Debian", "GNU/Linux", "ｋｍ", "１２", "𠀀", "豈"]
SIGNS = list(""".,-'"&;<>()[]{}!?@#$%^*_=+|\\/~`0123456789aZé中。，　▁""") + [
    " ", "  ", "   ", "\n", "\t", "\r\n", "\x0b", "\x00", "\x01", "\x7f", "\x85", "\xa0", "\xad", "\u2000", "\u2009", "\u2028", "\u200b", "\u200d", "\ufeff", "\ufffd",
    "e\u0301", "n\u0303", "a\u030a\u0323", "q\u0307\u0323", "\u1100\u1161\u11a8", "각", "ｶﾞ", "ﬁ", "½", "㍿", "℃", "①", "İ", "ß", "\u0345", "\u0344", "한국", "ひら", "カナ", "😀", "👩\u200d💻",
    "🇨🇳", "𝒳", "<s>", "</s>", "<pad>", "<unk>", " </s> ", "<extra_id_0>", "<extra_id_7>", ">>", "<<", ">>cmn_Hans<<", ">>xyz<< ", "<sep>", "<x>", "[CLS]", " [MASK] ", "[SEP]", "``", "''"]


def plain_texts(r):
    while True:
        yield " ".join(r.choices(ENGLISH, k=r.choice([1, 3, 8, 15, 40])))
        yield "".join(r.choices(CHINESE, k=r.choice([1, 3, 8, 20, 60])))


def hard_texts(r):
    while True:
        yield "".join(r.choices(SIGNS + ENGLISH[:20] + CHINESE[:20], k=r.choice([0, 1, 2, 3, 5, 9, 15, 30])))
        yield ">>cmn_Hans<<" + r.choice(["", " ", "  "]) + " ".join(r.choices(ENGLISH + CHINESE, k=5))
        yield "".join(chr(r.choice([r.randrange(0x20, 0x2e80), r.randrange(0x20, 0x250), r.randrange(0x300, 0x370), r.randrange(0xf900, 0xfff0)])) for _ in range(12))


def texts(r):
    """Plain ones, at most two thirds of them messages, and hard ones, three to one."""
    found = [text for pair in debian_messages.installed_pairs() for text in pair]
    r.shuffle(found)
    plain = found[:NUM_TEXTS // 2]
    plain += itertools.islice(plain_texts(r), NUM_TEXTS * 3 // 4 - len(plain))
    return plain, list(itertools.islice(hard_texts(r), NUM_TEXTS - len(plain)))


def train(sentences, prefix, size, **options):
    """sentences: kept as sentencepiece's training reads them, one a line."""
    lines = [" ".join(sentence.split()).replace("\0", "") for sentence in sentences]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for line in lines if line), model_prefix=str(prefix), vocab_size=size, hard_vocab_limit=False, minloglevel=2,
        num_threads=2, **{"character_coverage": 0.995, **options})
    return pathlib.Path(f"{prefix}.model")


def pieces_of(model):
    read = sentencepiece.SentencePieceProcessor(model_file=str(model))
    return [read.id_to_piece(i) for i in range(read.get_piece_size())]


def marian(folder, english, chinese, codes=(), own_targets=False, **options):
    """Ids as in OPUS models: </s>, <unk>, the rest, some pieces without one, <pad>. With two vocabularies <pad> has one id in both: transformers
    gives a <pad> in a target the id of the sources' vocabulary, which is another word of the targets'."""
    folder.mkdir()
    source = train(english, folder / "source", 1500, **options)
    target = train(chinese, folder / "target", 3000, **options)
    source.rename(folder / "source.spm"), target.rename(folder / "target.spm")
    lists = [pieces_of(folder / "source.spm"), pieces_of(folder / "target.spm")]
    kept = [[piece for i, piece in enumerate(pieces) if i % 50 != 49] for pieces in lists]

    def numbered(pieces):
        tokens = dict.fromkeys(["</s>", "<unk>", *(["<pad>"] if own_targets else []), *codes, *(piece for piece in pieces if piece != "<s>"), "<pad>"])
        return {token: i for i, token in enumerate(tokens)}

    if own_targets:
        (folder / "vocab.json").write_text(json.dumps(numbered(kept[0])))
        (folder / "target_vocab.json").write_text(json.dumps(numbered(kept[1])))
    else:
        (folder / "vocab.json").write_text(json.dumps(numbered(kept[0] + kept[1])))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "MarianTokenizer", "separate_vocabs": own_targets}))
    return MarianTokenizer.from_pretrained(folder)


def t5(folder, both, config, **options):
    folder.mkdir()
    train(both, folder / "spiece", 3000, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **options)
    (folder / "config.json").write_text(json.dumps({"model_type": "t5"}))
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", **config}))
    return T5Tokenizer.from_pretrained(folder)


def albert(folder, both, config, **options):
    folder.mkdir()
    train(both, folder / "spiece", 3000, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]"], user_defined_symbols=["[MASK]", "(", ")", "-", "."], **options)
    (folder / "config.json").write_text(json.dumps({"model_type": "albert"}))
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return AlbertTokenizer.from_pretrained(folder)


def deberta(folder, both, config, **options):
    folder.mkdir()
    train(both, folder / "spm", 3000, pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]", **options)
    (folder / "config.json").write_text(json.dumps({"model_type": "deberta-v2"}))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return DebertaV2Tokenizer.from_pretrained(folder)


def xlnet(folder, both, config, **options):
    folder.mkdir()
    train(both, folder / "spiece", 3000, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, control_symbols=["<cls>", "<sep>", "<pad>", "<mask>", "<eod>"], user_defined_symbols=["<eop>", ".", "(", ")", "-"], **options)
    (folder / "config.json").write_text(json.dumps({"model_type": "xlnet"}))
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return XLNetTokenizer.from_pretrained(folder)


def of_the_hub(folder, both, kind, splits, settings):
    """A tokenizer.json as the hub has them of XLM-R and CamemBERT, most of which cut at marks alone."""
    folder.mkdir()
    charsmap = next(step for step in json.loads(albert(folder / "rules", both, {}).backend_tokenizer.to_str())["normalizer"]["normalizers"] if step["type"] == "Precompiled")
    read = sentencepiece.SentencePieceProcessor(model_file=str(train(both, folder / "pieces", 3000)))
    pieces = [(read.id_to_piece(i), read.get_score(i)) for i in range(3, read.get_piece_size())]
    if kind == "xlm-roberta":
        vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *pieces, ("<mask>", 0.0)]
    else:
        vocabulary = [("<s>NOTUSED", 0.0), ("<pad>", 0.0), ("</s>NOTUSED", 0.0), ("<unk>", 0.0), ("<unk>NOTUSED", -100.0), *pieces, ("<mask>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, 3, False))
    marks = pre_tokenizers.Metaspace("▁", "always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), marks]) if splits else marks
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    names = [piece for piece, _ in vocabulary]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[(name, names.index(name)) for name in ("<s>", "</s>")])
    tokenizer.add_special_tokens([*(AddedToken(name, normalized=False) for name in ("<s>", "<pad>", "</s>", "<unk>")), AddedToken("<mask>", lstrip=True, normalized=False)])
    content = json.loads(tokenizer.to_str())
    content["normalizer"] = {"type": "Sequence", "normalizers": [charsmap, content["normalizer"]]}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "sep_token": "</s>", "cls_token": "<s>", **settings}))
    return AutoTokenizer.from_pretrained(folder)


def ours(tool, folder, side, wanted):
    line = json.dumps({"model": str(folder), "side": side, "texts": wanted}) + "\n"
    return json.loads(subprocess.run([tool], input=line, check=True, capture_output=True, text=True).stdout)


def compare(name, wanted, mine, theirs):
    bad = [i for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b]
    for i in bad[:3]:
        print(f"FAIL {name}: {wanted[i]!r} gives {mine[i]}, transformers {theirs[i]}")
    print(f"{'FAIL' if bad else 'ok  '} {name}: {len(theirs) - len(bad):,} of {len(theirs):,} texts agree", flush=True)
    return len(bad)


def without_a_doubt(text):
    """Marian's way to spell special tokens leaves spaces; ids of other tokens stand for one text."""
    return "".join(text.split())


def check_marian(tool, folder, tokenizer, wanted):
    sides = {"source": tokenizer(wanted)["input_ids"], "target": tokenizer(text_target=wanted)["input_ids"]}
    bad = 0
    for side, theirs in sides.items():
        mine = ours(tool, folder, side, wanted)
        bad += compare(f"{folder.name}, {side}", wanted, mine["ids"], theirs)
        if side == "target":
            spelled = [without_a_doubt(tokenizer.decode(ids)) for ids in theirs]
            bad += compare(f"{folder.name}, spelled", wanted, [without_a_doubt(text) for text in mine["decoded"]], spelled)
    return bad


def check_t5(tool, folder, tokenizer, wanted):
    mine = ours(tool, folder, "source", wanted)
    theirs = tokenizer(wanted)["input_ids"]
    return compare(f"{folder.name}", wanted, mine["ids"], theirs) + compare(
        f"{folder.name}, spelled", wanted, mine["decoded"], [tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in theirs])


def main(tool):
    r = random.Random(20)
    plain, hard = texts(r)
    english, chinese = ([text for text in plain if any("\u4e00" <= c <= "\u9fff" for c in text) == side] for side in (False, True))
    wanted = plain + hard
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, options in {
            "marian": {"codes": [">>cmn_Hans<<", ">>cmn_Hant<<"]},
            "marian with two vocabularies": {"own_targets": True, "normalization_rule_name": "nmt_nfkc_cf"},
            "marian as it is written": {"normalization_rule_name": "identity", "remove_extra_whitespaces": False, "add_dummy_prefix": False},
            "marian with pieces of its user": {"user_defined_symbols": ["<sep>", "%s", "中国"], "character_coverage": 0.98},
            "marian, spaces behind words": {"treat_whitespace_as_suffix": True},
        }.items():
            bad += check_marian(tool, folder / name, marian(folder / name, english, chinese, **options), wanted)
        for name, config, options in [("t5", {}, {}), ("mt5", {"extra_ids": 0}, {"user_defined_symbols": ["▁<extra_id_0>", "<sep>"]}),
                                      ("mt5 with bytes", {"extra_ids": 0}, {"byte_fallback": True}),
                                      ("t5 without rules", {"extra_ids": 10}, {"normalization_rule_name": "identity"})]:
            bad += check_t5(tool, folder / name, t5(folder / name, english + chinese, config, **options), wanted)
        for name, config, options in [("albert", {}, {}), ("albert, case and accents kept", {"do_lower_case": False, "keep_accents": True}, {"normalization_rule_name": "identity"})]:
            bad += check_t5(tool, folder / name, albert(folder / name, english + chinese, config, **options), wanted)
        for name, config in [("deberta", {"do_lower_case": False, "vocab_type": "spm"}), ("deberta, lower case, signs apart", {"do_lower_case": True, "split_by_punct": True})]:
            bad += check_t5(tool, folder / name, deberta(folder / name, english + chinese, config), wanted)
        for name, config, options in [("xlnet", {}, {}), ("xlnet in lower case", {"do_lower_case": True, "add_prefix_space": False}, {"normalization_rule_name": "identity"})]:
            bad += check_t5(tool, folder / name, xlnet(folder / name, english + chinese, config, **options), wanted)
        for name, kind, splits, settings in [("xlm-r, bare", "xlm-roberta", False, {"tokenizer_class": "XLMRobertaTokenizerFast"}), ("xlm-r", "xlm-roberta", True, {}), ("xlm-r, no space in front", "xlm-roberta", False, {"add_prefix_space": False}),
                                             ("camembert, bare", "camembert", False, {}), ("camembert", "camembert", True, {"tokenizer_class": "CamembertTokenizer"})]:
            theirs = of_the_hub(folder / name, english + chinese, kind, splits, settings)
            bad += compare(name, wanted, ours(tool, folder / name, "source", wanted)["ids"], theirs(wanted)["input_ids"])
    print(f"{len(wanted):,} texts, {len(english):,} plain English and {len(chinese):,} Chinese; sentencepiece {sentencepiece.__version__}")
    sys.exit(1 if bad else 0)


main(sys.argv[1])
