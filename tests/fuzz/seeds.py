"""What each target begins with: small files of the kind that it reads, made here, so that none is fetched."""
import io
import json
import pathlib
import zipfile

TESTS = pathlib.Path(__file__).resolve().parent.parent


def images():
    from PIL import Image

    for mode in ("RGB", "L", "P", "RGBA"):
        for kind in ("PNG", "JPEG", "BMP", "WEBP"):
            if kind == "JPEG" and mode in ("P", "RGBA"):
                continue
            out = io.BytesIO()
            Image.new(mode, (5, 4), 1).save(out, kind)
            yield out.getvalue()


def tables():
    """Behind a byte that says where the file is cut."""
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as parquet

    table = pa.table({"text": ["a", None, "b c"], "number": [1, 2, None], "list": [["x"], [], None], "object": [{"a": 1.5}, None, {"a": None}]})
    for compression in ("none", "snappy", "gzip", "zstd", "lz4"):
        out = io.BytesIO()
        parquet.write_table(table, out, compression=compression, row_group_size=2)
        yield b"\x80" + out.getvalue()
    for compression in ("uncompressed", "lz4", "zstd"):
        out = io.BytesIO()
        feather.write_feather(table, out, compression=compression, chunksize=2)
        yield b"\x80" + out.getvalue()


def compressed():
    import gzip

    import pyarrow as pa

    yield b"\x80" + gzip.compress(json.dumps([{"a": 1}, {"a": [2]}]).encode())
    yield b"\x80" + gzip.compress(json.dumps({"data": [{"a": 1}], "b": 2}).encode())
    yield b"\x80" + pa.compress(b'{"a": 1}\n{"a": 2}\n', codec="zstd", asbytes=True)


def torch_files():
    """Whole files of both formats, and pickles alone behind an x."""
    import torch

    whole = torch.arange(8.0).reshape(2, 4)
    state = torch.nn.Linear(2, 2).state_dict()
    state |= {"rows": whole[1:], "turned": whole.t(), "half": torch.ones(3, dtype=torch.float16), "epoch": 3, "done": True, "none": None}
    for options in ({}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}):
        for value in (state, {"a": whole}, {"a": whole, "b": whole[0]}):
            out = io.BytesIO()
            torch.save(value, out, **options)
            yield out.getvalue()
            if not out.getvalue().startswith(b"PK"):
                continue
            with zipfile.ZipFile(out) as archive:
                yield b"x" + next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))


def safetensors():
    def entry(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    headers = [{"__metadata__": {"format": "pt"}, "a": entry("F32", [2, 2], 0, 16), "b": entry("BF16", [3], 16, 22), "c": entry("I64", [], 22, 30), "d": entry("F16", [0, 4], 30, 30)}]
    for header in headers:
        text = json.dumps(header).encode()
        yield text
        yield len(text).to_bytes(8, "little") + text + bytes(30)


def manifest():
    tensor = {"name": "a", "dtype": "F32", "shape": [4], "bytes": 16, "slices": [{"file": "m.safetensors", "offset": 0, "bytes": 12}, {"file": "n.safetensors", "offset": 12, "bytes": 4}]}
    content = {"format": "sft-dist checkpoint", "version": 1, "run_id": "r", "step": 5, "world": 2, "resumable": True, "state_digest": "00000000", "settings": {"a": {"b": [1.5]}},
               "files": [{"name": name, "bytes": 9, "crc32c": "0123abcd"} for name in ("m.safetensors", "n.safetensors")], "model": [tensor], "optimizer": []}
    yield json.dumps(content).encode()


def tokenizers():
    reference = json.loads((TESTS / "data/tokenizer_reference.json").read_text())
    for entry in reference["tokenizers"]:
        if "tokenizer.json" in entry["files"]:
            content = json.loads(entry["files"]["tokenizer.json"])
            if isinstance(content["model"]["vocab"], dict):  # fewer words, so that changes fall elsewhere too
                content["model"]["vocab"] = dict(list(content["model"]["vocab"].items())[:60])
                kept = content["model"]["vocab"]
                if "merges" in content["model"]:
                    content["model"]["merges"] = [m for m in content["model"]["merges"] if all(p in kept for p in (m.split() if isinstance(m, str) else m) + ["".join(m.split() if isinstance(m, str) else m)])]
            yield json.dumps(content).encode()
    whole = {"version": "1.0", "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}, "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": 8, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
             "added_tokens": [{"id": 0, "content": "[PAD]", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False, "special": True}],
             "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}, {"type": "Prepend", "prepend": "▁"}, {"type": "Strip", "strip_left": True, "strip_right": True}]},
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\d"}, "behavior": "Isolated", "invert": False}, {"type": "Digits", "individual_digits": True}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}, {"type": "Punctuation", "behavior": "Isolated"}]},
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[PAD]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"[PAD]": {"id": "[PAD]", "ids": [0], "tokens": ["[PAD]"]}}},
             "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]},
             "model": {"type": "Unigram", "unk_id": 1, "vocab": [["[PAD]", 0.0], ["<unk>", 0.0], ["▁good", -2.0], ["▁", -3.0], ["a", -5.0], ["<0x41>", -9.0]], "byte_fallback": True}}
    yield json.dumps(whole, ensure_ascii=False).encode()


def sentencepiece():
    """By hand: field 1 is a piece (text, score, kind), field 2 the trainer's settings, field 3 the normalizer's."""
    import struct

    def field(number, bytes_):
        return bytes([number << 3 | 2, len(bytes_)]) + bytes_

    def piece(text, score, kind):
        return field(1, field(1, text.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", score) + bytes([3 << 3, kind]))

    pieces = piece("<unk>", 0, 2) + piece("</s>", 0, 3) + piece("▁good", -2, 1) + piece("▁", -3, 1) + piece("a", -4, 1) + piece("b", -4, 4)
    yield pieces + field(2, bytes([3 << 3, 1])) + field(3, field(1, b"nmt_nfkc") + bytes([3 << 3, 1, 4 << 3, 1, 5 << 3, 1]))
    yield pieces + field(2, bytes([3 << 3, 1])) + field(3, field(1, b"identity") + field(2, struct.pack("<IIII", 8, 0, 0, 0) + b"x\0"))


CHATML = "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ 's\\n' }}{% endif %}{{ '<|im_start|>' + message.role }}{% generation %}{{ message['content'] | trim }}{% endgeneration %}{% endfor %}{% if add_generation_prompt %}{{ 'a' }}{% endif %}"
TEMPLATES = [CHATML, "{%- set ns = namespace(i=0) -%}{% macro f(x) %}{{ x | tojson(indent=2) }}{% endmacro %}{% for t in tools or [] %}{{ f(t) }}{% endfor %}{{ strftime_now('%d %b %Y') }}{{ raise_exception('no') if ns.i else messages[::-1] | length }}",
             "{% for m in messages %}{% set c = m.content %}{% if c is string %}{{ c.split('a')[-1].strip() }}{% else %}{{ c | selectattr('type', 'equalto', 'text') | map(attribute='text') | join(', ') }}{% endif %}{% break %}{% endfor %}"]
CHATS = [b'\x00{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n', b'\x02{"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]}\n{"x": 1}\n',
         b'\x00{"prompt": "a", "completion": "b"}\n', b'\x00{"text": "a b"}\n', b'\x00{"source": "a", "target": "b"}\n', b'\x02{"translation": {"en": "a", "de": "b"}}\n', b"\x01source\ttarget\na b\tc\n\"a\"\t\n", b"\x03prompt\tcompletion\na\tb\n",
         b'\x00{"instruction": "a", "input": "", "output": "b"}\n', b'\x00{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "tools": [{"name": "f"}]}\n']
SQUAD = {"version": "2", "data": [{"paragraphs": [{"context": "c d", "qas": [{"id": "1", "question": "q", "answers": [{"text": "d", "answer_start": 2}]}]}]}]}
TOML = [b'include = "base.toml"\ntrain_file = ["a", "b"]\nmax_length = 0x10\non_bad_row = "skip"\nmean = [0.5, 1e-3, -inf]\nlabel_column = """a\nb"""\n', b"table = { a = [1, [2.5, nan]], 'b.c' = true }\n[a.b]\nc = 1979-05-27T07:32:00Z\n[[d]]\ne = '\\'\n"]


def model_configs():
    """Of most families with sizes that differ from the defaults, and the other JSON files of a directory, under the name of the file."""
    text = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32, "max_position_embeddings": 20, "type_vocab_size": 2, "hidden_act": "gelu",
            "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.1, "pad_token_id": 0, "id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}, "architectures": ["BertForSequenceClassification"]}
    rotary = {**text, "num_key_value_heads": 2, "head_dim": 4, "rms_norm_eps": 1e-6, "rope_theta": 1e4, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8},
              "tie_word_embeddings": True, "use_sliding_window": False, "layer_types": ["full_attention", "full_attention"], "hidden_act": "silu", "eos_token_id": [1, 2]}
    families = {"bert": text, "roberta": text, "xlm-roberta": text, "camembert": text, "llama": rotary, "mistral": {**rotary, "sliding_window": 8}, "qwen2": rotary, "qwen3": rotary,
                "distilbert": {"vocab_size": 40, "dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 32, "max_position_embeddings": 20, "activation": "relu", "sinusoidal_pos_embds": True},
                "gpt2": {"vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_inner": None, "n_positions": 20, "activation_function": "gelu_new", "resid_pdrop": 0.1},
                "t5": {"vocab_size": 40, "d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 2, "num_decoder_layers": 1, "num_heads": 4, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 16, "feed_forward_proj": "gated-gelu"},
                "marian": {"vocab_size": 40, "decoder_vocab_size": 41, "d_model": 16, "encoder_layers": 2, "decoder_layers": 1, "encoder_attention_heads": 4, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 24, "max_position_embeddings": 20, "decoder_start_token_id": 3, "scale_embedding": True},
                "vit": {**text, "image_size": 8, "patch_size": 4, "num_channels": 3, "qkv_bias": True}, "dinov2": {**text, "image_size": 8, "patch_size": 4, "mlp_ratio": 2, "layerscale_value": 1.0},
                "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2], "layer_type": "basic", "image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1]}}
    for family, content in families.items():
        yield json.dumps({"config.json": {"model_type": family, **content}}).encode()
    beside = {"generation_config.json": {"eos_token_id": [1, 2], "do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 5, "max_length": 20, "num_beams": 2, "length_penalty": 1.5, "repetition_penalty": 1.1},
              "tokenizer_config.json": {"model_max_length": 512, "truncation_side": "left"}, "preprocessor_config.json": {"image_mean": [0, 0, 0], "size": {"shortest_edge": 8}, "crop_pct": 0.9}}
    yield json.dumps({"config.json": {"model_type": "t5", "is_encoder_decoder": True, **families["t5"]}, **beside}).encode()
    yield json.dumps({"adapter_config.json": {"peft_type": "LORA", "base_model_name_or_path": "b", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "bias": "none", "use_rslora": False, "modules_to_save": ["score"], "rank_pattern": {}}}).encode()


# Of pictures with boxes: COCO's JSON, VOC's XML, YOLO's text and its YAML, by their first byte.
BOXES = [b"{" + json.dumps({"images": [{"id": 9, "file_name": "a.png", "height": 2, "width": 2}], "categories": [{"id": 3, "name": "a"}],
                            "annotations": [{"id": 1, "image_id": 9, "category_id": 3, "bbox": [0, 0, 1, 2], "area": 2, "iscrowd": 0}]}).encode()[1:],
         b"<annotation><size><width>2</width><height>2</height></size><!-- a --><object><name>a &amp; b</name><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2.0</ymax></bndbox></object></annotation>",
         b"0 0.5 0.5 1 1\n1 0 0 1 0 1 1\n", b"names:\n  0: 'a'\n  1: b # c\ntrain: images\nval: [images, images]\npath: .\n"]

SEEDS = {
    "jsonl": lambda: [b'\x40{"a": [1.5, {"b": null}], "c": "\\ud83d\\ude00"}\n\n{"a": true}\n'],
    "csv": lambda: [b'\x80a,b\n"x ""y""\n,",1\r\n\t"z\t2\n', b"\x20\xef\xbb\xbf\"a\",b\n"],
    "conll": lambda: [b"\x60-DOCSTART- O\n\n# id 1\na B-X\nb\tO\n\nc O\n"],
    "squad": lambda: [json.dumps(SQUAD).encode()],
    "boxes": lambda: BOXES,
    "tables": tables,
    "compressed": compressed,
    "images": images,
    "safetensors": safetensors,
    "index": lambda: [json.dumps({"metadata": {"total_size": 16}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}).encode()],
    "manifest": manifest,
    "torch_file": torch_files,
    "toml": lambda: TOML,
    "hdf5": lambda: [path.read_bytes() for path in sorted((TESTS / "data/version_1").glob("*.h5"))],
    "tokenizer": tokenizers,
    "sentencepiece": sentencepiece,
    "chat_template": lambda: [template.encode() for template in TEMPLATES],
    "chats_and_pairs": lambda: CHATS,
    "model_config": model_configs,
}
