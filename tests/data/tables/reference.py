"""The same rows in every format, written by pyarrow, datasets and Python, are the same rows; files cut off or damaged are refused as data."""
import gzip
import io
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet

PROGRAM, COUNT = sys.argv[1], 150
WORDS = ["quick", "über", "日本", 'a "quoted" word', "line\nbreak", "", "comma, and;semicolon", "\U0001f600"]


def make_rows():
    draw = random.Random(5)
    for i in range(COUNT):
        words = [draw.choice(WORDS) for _ in range(draw.randint(0, 6))]
        yield {"text": " ".join(words), "maybe": None if i % 3 else f"row {i}", "number": i - 7, "real": draw.choice([0.5, 1.0, -2.25e-7]), "flag": i % 2 == 0, "large": 2**60 + i,
               "tokens": words, "none": [], "deep": [[j, None] for j in range(i % 3)],
               "messages": [{"role": role, "content": words[0] if words else None} for role in ("user", "assistant")[: i % 3]],
               "translation": {"de": f"Zeile {i}", "en": f"row {i}"}, "answers": {"text": words[:1], "answer_start": [0] * len(words[:1])}}


NOT_READ = "is nested deeper than 32 levels, or of a kind that is not read (a map, a union)"
SCHEMA = pa.schema([("text", pa.string()), ("maybe", pa.string()), ("number", pa.int64()), ("real", pa.float64()), ("flag", pa.bool_()), ("large", pa.int64()),
                    ("tokens", pa.list_(pa.string())), ("none", pa.list_(pa.string())), ("deep", pa.list_(pa.list_(pa.int32()))),
                    ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
                    ("translation", pa.struct([("de", pa.string()), ("en", pa.string())])), ("answers", pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int32()))]))])


def write_texts(folder, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    documents = {"rows.jsonl": lines, "lines.json": lines, "array.json": json.dumps(rows, indent=1).encode(), "line.json": json.dumps(rows).encode(),
                 "member.json": json.dumps({"version": {"data": [1]}, "data": rows, "more": [1]}).encode()}
    for name, content in documents.items():
        (folder / name).write_bytes(content)
        half = len(content) // 2  # two members of gzip are one content
        (folder / f"{name}.gz").write_bytes(gzip.compress(content[:half]) + gzip.compress(content[half:]))
        with pa.CompressedOutputStream(str(folder / f"{name}.zst"), "zstd") as out:
            out.write(content)
    return [folder / (name + ending) for name in documents for ending in ("", ".gz", ".zst")]


def write_tables(folder, rows):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    for compression in ("none", "snappy", "gzip", "zstd", "lz4"):
        parquet.write_table(table, folder / f"{compression}.parquet", compression=compression, row_group_size=37, data_page_version="2.0" if compression == "zstd" else "1.0",
                            use_dictionary=compression != "gzip", data_page_size=600)
        yield folder / f"{compression}.parquet"
    large = table.cast(pa.schema([field.with_type(pa.large_string() if field.type == pa.string() else pa.large_list(pa.string()) if field.name in ("tokens", "none") else field.type) for field in SCHEMA]))
    coded = table.set_column(0, "text", table["text"].dictionary_encode())
    for name, content in (("plain", table), ("large", large), ("coded", coded)):
        parquet.write_table(content, folder / f"{name}.parquet", store_schema=True)
        with pa.ipc.new_stream(str(folder / f"{name}.arrow"), content.schema) as out:
            for batch in content.to_batches(max_chunksize=40):
                out.write_batch(batch)
        yield from (folder / f"{name}.parquet", folder / f"{name}.arrow")
    for compression in ("uncompressed", "lz4", "zstd"):
        feather.write_feather(table, str(folder / f"{compression}.feather"), compression=compression, chunksize=29)
        yield folder / f"{compression}.feather"


def read(*paths):
    """A list of answers a file."""
    done = subprocess.run([PROGRAM, *map(str, paths)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.returncode, done.stderr[-500:], done.stdout[-300:])
    answers = []
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        answers.append([]) if "file" in answer else answers[-1].append(answer)
    assert len(answers) == len(paths)
    return answers


def test_same_rows(folder):
    rows = list(make_rows())
    paths = [*write_texts(folder, rows), *write_tables(folder, rows)]
    for path, (columns, *answers) in zip(paths, read(*paths)):
        assert columns["columns"] == list(rows[0]), (path, columns)
        assert [answer.get("row") for answer in answers] == rows, (path, answers[:2])
        if path.suffix in (".parquet", ".arrow", ".feather"):
            assert [answer["line"] for answer in answers] == list(range(1, COUNT + 1)), path
    return paths


def test_long_line(folder):
    """A document may stand on one line that is longer than any row may be."""
    rows = [{"text": letter * (17 << 20)} for letter in "abcd"]
    (folder / "long.json").write_text(json.dumps({"version": 1, "data": rows}))
    assert [answer.get("row") for answer in read(folder / "long.json")[0][1:]] == rows


def test_array_among_lines(folder):
    """The cure is one that its name leaves open."""
    for name, cure in (("among.jsonl", ", or name the file .json"), ("among.json", "")):
        (folder / name).write_text('{"a": 1}\n[2]\n')
        (answers,) = read(folder / name)
        assert answers[2]["problem"].endswith("found an array; write one object a line, as jq -c '.[]' does" + cure), answers


def test_large_row(folder):
    """A row above 64 MiB is refused, whatever it is made of, and the next one is read."""
    flags = pa.array(np.zeros((64 << 20) + 3, bool))
    table = pa.table({"flags": pa.ListArray.from_arrays(pa.array([0, len(flags) - 1, len(flags)], pa.int32()), flags)})
    feather.write_feather(table, str(folder / "large_row.feather"), compression="zstd")
    (answers,) = read(folder / "large_row.feather")
    assert "large_row.feather:1: the row is longer than 64 MiB" in answers[1]["problem"] and answers[2]["row"] == {"flags": [False]} and len(answers) == 3, str(answers)[:500]


def test_types(folder):
    """Spellings that JSON Lines would have; labels of datasets by their names."""
    import datasets

    times = {"clock": pa.time32("ms"), "micro": pa.time64("us"), "nano": pa.time64("ns"), **{unit: pa.duration(unit) for unit in ("s", "ms", "us", "ns")}}
    values = {"half": pa.array([1.5, 0.1], pa.float16()), "single": pa.array([0.1, -3.0], pa.float32()), "small": pa.array([255, 0], pa.uint8()), "cents": pa.array([1, None], pa.decimal128(9, 2)),
              "day": pa.array([1, 2], pa.date32()), **{name: pa.array([3, 4], kind) for name, kind in times.items()}, "pairs": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int8())), "bytes": pa.array([b"text", b"\xff\xfe"], pa.binary()), "fixed": pa.array([b"ab", b"cd"], pa.binary(2)), "nothing": pa.nulls(2)}
    table = pa.table(values)
    expected = [{"half": 1.5, "single": 0.1, "small": 255, "cents": 1.0, "day": 1, **dict.fromkeys(times, 3), "pairs": NOT_READ, "bytes": "text", "fixed": "ab", "nothing": None},
                {"half": 0.1, "single": -3.0, "small": 0, "cents": None, "day": 2, **dict.fromkeys(times, 4), "pairs": NOT_READ, "bytes": "has 2 bytes that are no text", "fixed": "cd", "nothing": None}]
    parquet.write_table(table.drop_columns(["half"]), folder / "types.parquet")
    feather.write_feather(table, str(folder / "types.feather"))
    without, whole = ([answer["row"] for answer in answers[1:]] for answers in read(folder / "types.parquet", folder / "types.feather"))
    assert [{**row, "half": None} for row in without] == [{**row, "half": None} for row in expected], without
    expected[1]["half"] = float(str(np.float32(np.float16(0.1))))  # as the float32 that it is
    assert whole == expected, whole

    features = datasets.Features({"label": datasets.ClassLabel(names=["no", "yes"]), "ner_tags": datasets.Sequence(datasets.ClassLabel(names=["O", "B-X"])), "qa": datasets.Sequence({"kind": datasets.ClassLabel(names=["a", "b"])})})
    saved = datasets.Dataset.from_dict({"label": [1, 0, -1], "ner_tags": [[0, 1], [], [1]], "qa": [{"kind": [1]}, {"kind": []}, {"kind": [0, 1]}]}, features=features)
    named = [{"label": "yes", "ner_tags": ["O", "B-X"], "qa": {"kind": ["b"]}}, {"label": "no", "ner_tags": [], "qa": {"kind": []}}, {"label": None, "ner_tags": ["B-X"], "qa": {"kind": ["a", "b"]}}]
    saved.save_to_disk(str(folder / "saved"))
    saved.to_parquet(str(folder / "saved.parquet"))
    for answers in read(folder / "saved/data-00000-of-00001.arrow", folder / "saved.parquet"):
        assert [answer["row"] for answer in answers[1:]] == named, answers


def test_json_features(folder):
    """Values of datasets' Json are what they were, names in their order; text of another column stays text, and so does undecoded Json."""
    import datasets

    rows = [{"messages": [{"role": "user", "content": "1"}, {"role": "assistant", "z": {"b": [1, 2.5, None, True], "a": 2**60}}], "any": "text", "plain": '{"a": 1}', "raw": [1]},
            {"messages": [], "any": None, "plain": "2", "raw": None}, {"messages": None, "any": {"deep": [[[]]]}, "plain": "", "raw": "x"}]
    kinds = {"messages": datasets.List(datasets.Json()), "any": datasets.Json(), "plain": datasets.Value("string"), "raw": datasets.Json(decode=False)}
    saved = datasets.Dataset.from_list(rows, features=datasets.Features({**kinds, "raw": datasets.Json()})).cast_column("raw", datasets.Json(decode=False))
    saved.save_to_disk(str(folder / "json"))
    saved.to_parquet(str(folder / "json.parquet"))
    expected = [{**row, "raw": None if row["raw"] is None else json.dumps(row["raw"])} for row in rows]
    for answers in read(folder / "json/data-00000-of-00001.arrow", folder / "json.parquet"):
        assert [answer["row"] for answer in answers[1:]] == expected, answers
        assert json.dumps(answers[1]["row"]["messages"]) == json.dumps(rows[0]["messages"]), answers[1]


def test_other_ways_of_writing(folder):
    """Zeros behind gzip are passed over, as Python does; what is not read is named with its cure."""
    content = b'{"a": 1}\n'
    (folder / "padded.jsonl.gz").write_bytes(gzip.compress(content) + bytes(70000) + gzip.compress(content) + bytes(512))
    (folder / "more.jsonl.gz").write_bytes(gzip.compress(content) + bytes(512) + b"more")
    parquet.write_table(pa.table({"text": ["a", "b"]}), folder / "brotli.parquet", compression="brotli")
    (folder / "mac.conll").write_bytes(b"EU B-ORG\rrejects O\r\rPeter B-PER\r")
    (folder / "windows.conll").write_bytes(b"EU B-ORG\r\nrejects O\r\r\n\r\nPeter B-PER\r\n")
    padded, more, brotli, mac, windows = read(*(folder / name for name in ("padded.jsonl.gz", "more.jsonl.gz", "brotli.parquet", "mac.conll", "windows.conll")))
    assert gzip.decompress((folder / "padded.jsonl.gz").read_bytes()) == content * 2
    assert [answer["row"] for answer in padded[1:]] == [{"a": 1}] * 2, padded
    assert more[-1].get("code") == 79 and "is the file cut off or damaged" in more[-1]["error"], more
    assert brotli[0].get("code") == 79 and "its column 'text' is compressed with Brotli, which is not read; write it anew with zstd" in brotli[0]["error"], brotli
    assert "mac.conll:1: a carriage return stands in the line" in mac[1]["problem"] and "tr '\\r' '\\n'" in mac[1]["problem"], mac
    assert [answer["row"]["tokens"] for answer in windows[1:]] == [["EU", "rejects"], ["Peter"]], windows


def refusals(answers):
    return [answer["error"] for answer in answers if "error" in answer]


def test_cut_off(folder, paths):
    """Wherever a file ends too early, it is refused by name; text that is whole in front of that place may be given."""
    cut = folder / "cut"
    cut.mkdir()
    for path in paths:
        content = path.read_bytes()
        if path.suffix not in (".gz", ".zst", ".parquet", ".arrow", ".feather"):
            continue
        parts = []
        for share in (0.02, 0.3, 0.7, 0.99):
            parts.append(cut / f"{int(share * 100)}-{path.name}")
            parts[-1].write_bytes(content[: int(len(content) * share)])
        for part, answers in zip(parts, read(*parts)):
            told = refusals(answers)
            assert len(told) == 1 and part.name in told[0] and answers[-1]["code"] == 79, (part, answers[-1:])
            assert "cut off" in told[0] or "cannot be read" in told[0] or "no Parquet" in told[0] or "no Arrow" in told[0], told


def test_cut_off_between_batches(folder):
    """With a footer, that is told too; a stream is as it ought to be there."""
    table, sink = pa.Table.from_pylist(list(make_rows()), schema=SCHEMA), io.BytesIO()
    with pa.ipc.new_file(sink, SCHEMA) as out:
        for batch in table.to_batches(max_chunksize=40):
            out.write_batch(batch)
            (folder / f"{sink.tell()}.feather").write_bytes(sink.getvalue())
    (folder / "magic.feather").write_bytes(b"ARROW1\0\0")
    paths = [*(path for path in folder.glob("*.feather") if path.stem.isdigit()), folder / "magic.feather"]
    for path, answers in zip(paths, read(*paths)):
        assert answers[-1].get("code") == 79 and "does not end with ARROW1; is the file cut off" in answers[-1]["error"], (path, answers[-1])
    assert len(paths) == 5


def test_byte_order(folder):
    """An Arrow schema without fields, little-endian and big-endian, as FlatBuffers lays it out."""
    for big in (0, 1):
        root, message = struct.pack("<IHHHHHxx", 16, 10, 12, 8, 10, 4), struct.pack("<iIhBx", 12, 16, 4, 1)
        schema = struct.pack("<HHHHiIhxxIxxxx", 8, 12, 8, 4, 8, 8, big, 0)
        head = root + message + schema
        (folder / f"order-{big}.arrow").write_bytes(b"\xff" * 4 + len(head).to_bytes(4, "little") + head)
    little, big = read(folder / "order-0.arrow", folder / "order-1.arrow")
    assert little == [{"columns": []}] and big[0]["code"] == 79 and "its numbers are big-endian" in big[0]["error"], (little, big)


def test_missing_rows(folder):
    """Row groups that say that they have more rows than they have."""
    parquet.write_table(pa.table({"text": [f"row {i}" for i in range(100)]}), folder / "whole.parquet", use_dictionary=False, write_statistics=False)
    content = (folder / "whole.parquet").read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    told = compact(0x16, varint(2 * 100))  # an i64 of the footer: rows of the file, values of the column, rows of the group
    assert content[start:].count(told) == 3
    (folder / "missing.parquet").write_bytes(content[:start] + content[start:].replace(told, compact(0x16, varint(2 * 105))))
    (answers,) = read(folder / "missing.parquet")
    assert answers[-1].get("code") == 79 and "missing.parquet:100: the row group ends behind this row, and behind row 105 by the footer" in answers[-1]["error"], answers[-1]


def test_damaged(folder, rows):
    """Bytes that are wrong end in rows or in a refusal, never in the end of the process."""
    table = pa.Table.from_pylist(rows[:12], schema=SCHEMA)
    seeds = []
    for compression in ("none", "snappy", "zstd", "lz4", "gzip"):
        seeds.append(folder / f"small-{compression}.parquet")
        parquet.write_table(table, seeds[-1], compression=compression)
    for compression in ("uncompressed", "lz4", "zstd"):
        seeds.append(folder / f"small-{compression}.feather")
        feather.write_feather(table, str(seeds[-1]), compression=compression)
    draw, refused, damaged = random.Random(9), 0, folder / "damaged"
    damaged.mkdir()
    for seed in seeds:
        paths = []
        for i in range(60):
            content = bytearray(seed.read_bytes())
            for _ in range(draw.choice([1, 1, 3, 20])):
                # Half of them in the last kilobytes, where Parquet keeps what it says of itself.
                at = draw.randrange(len(content)) if draw.random() < 0.5 else len(content) - 1 - draw.randrange(min(len(content), 3000))
                content[at] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, content[at] ^ (1 << draw.randrange(8))])
            paths.append(damaged / f"{i}-{seed.name}")
            paths[-1].write_bytes(content)
        refused += sum(bool(refusals(answers)) for answers in read(*paths))
    assert refused > 100, refused


def compact(*parts):
    return b"".join(part if isinstance(part, bytes) else bytes([part]) for part in parts)


def varint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def test_hostile(folder):
    """Footers that make a reader follow or set aside without end."""
    def file(name, footer):
        path = folder / name
        path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
        return path

    node = compact(0x35, varint(2), 0x18, 1, b"a", 0x15, varint(2), 0)  # repeated, named a, with one child
    deep = file("deep.parquet", compact(0x15, 2, 0x19, 0xFC, varint(200000), node * 200000))
    wide = file("wide.parquet", compact(0x15, 2, 0x19, 0x2C, compact(0x48, 1, b"a", 0x15, varint(2**31 - 2), 0), compact(0x48, 1, b"b", 0)))
    groups = file("groups.parquet", compact(0x15, 2, 0x19, 0x1C, compact(0x48, 1, b"a", 0), 0x16, 0, 0x19, 0xFC, varint(2**31 - 1)))
    nested = file("nested.parquet", compact(0x15, 2) + b"\xfc" + b"\x1c" * 100000)
    # The crate reads fields by their numbers, as what they ought to be: flat trees that are deep there, bytes that hold lists.
    root, leaf, large = compact(0x48, 1, b"a", 0x15, 2, 0), compact(0x15, 0, 0x25, 0, 0x18, 1, b"a", 0), compact(0xFC, varint(2**31 - 1))
    flat = compact(0x15, 2, 0x19, 0xFC, varint(200001), 0x48, 1, b"a", 0x15, varint(400000), 0)
    others = {f"flat {kind}": compact(flat, compact(0x35, 2, 0x18, 1, b"a", 0x10 | kind, varint(2), 0) * 200000, 0) for kind in (4, 6)}
    others["set"] = compact(0x15, 2, 0x1A, 0xFC, varint(200000), node * 200000, 0)
    others["number"] = compact(0x15, 2, 0x09, varint(2 * 65538), 0xFC, varint(200000), node * 200000, 0)
    start = compact(0x15, 2, 0x19, 0x2C, root, leaf, 0x16, 0)
    group, pairs, sizes = compact(start, 0x19, 0x1C), compact(0x09, 10, large), compact(0x0C, 32, 0x29, large)
    column = compact(group, 0x19, 0x1C, 0x3C)
    for name, before, length, inside in (
        ("footer 2", compact(0x15, 2, 0x18), 0x1C, compact(leaf, pairs)), ("footer 4", compact(start, 0x18), 0x1C, compact(0x49, large)),
        ("footer 5", compact(start, 0x28), 0x1C, compact(0x18, 1, b"a", 0, pairs)), ("footer 7", compact(start, 0x48), 0x1C, compact(0x1C, 0, 0, pairs)),
        ("group 1", compact(group, 0x18), 0x1C, compact(0x3C, sizes)), ("group 4", compact(group, 0x48), 0x1C, compact(0x15, 0, 0x11, 0x11, 0, 0x09, 8, large)),
        ("column 2", compact(column, 0x28), 0x15, compact(0, sizes)), ("column 3", compact(column, 0x38), 0x18, b""), ("column 8", compact(column, 0x88), 0x1C, b""),
        ("column 13", compact(column, 0xD8), 0x1C, compact(0x15, 0, 0x15, 0, 0x15, 0, 0, sizes)), ("sizes", compact(column, 0x0C, 32, 0x28), 0x16, compact(0, 0x19, large)),
    ):
        others[name] = compact(before, length, inside.ljust(length, b"\0"), bytes(8))
    others["booleans"] = compact(start, 0xC9, 0x81, pairs, bytes(8))
    words = {"set": "the kind 10", "number": "number 65538", "flat 4": "deep", "flat 6": "deep", "booleans": "list of booleans"}
    kinds = [(file(f"{name}.parquet", footer), words.get(name, "the kind 8")) for name, footer in others.items()]
    for path, word in ((deep, "deep"), (wide, "columns below"), (groups, "claims"), (nested, "deep"), *kinds):
        (answers,) = read(path)
        assert answers[-1].get("code") == 79 and word in answers[-1]["error"], answers


with tempfile.TemporaryDirectory() as home:
    home = pathlib.Path(home)
    written = test_same_rows(home)
    test_long_line(home)
    test_large_row(home)
    test_array_among_lines(home)
    test_types(home)
    test_json_features(home)
    test_other_ways_of_writing(home)
    test_cut_off(home, written)
    test_cut_off_between_batches(home)
    test_byte_order(home)
    test_missing_rows(home)
    test_damaged(home, list(make_rows()))
    test_hostile(home)
print("ok")
