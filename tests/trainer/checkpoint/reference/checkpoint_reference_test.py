"""Our files against the programs they are for: safetensors and transformers read what we write, we read
what they write, and the manifest can be verified from its description alone.

    checkpoint_reference_test.py EXCHANGE     (the program of exchange.cpp)
"""
import io
import json
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
    from transformers import BertConfig, BertModel
except ImportError as missing:
    print(f"SKIPPED, the reference is not installed: {missing}")
    sys.exit(77)

EXCHANGE = sys.argv[1]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def run(*arguments):
    return subprocess.run([EXCHANGE, *map(str, arguments)], capture_output=True, text=True)


def same(left, right):
    assert left.keys() == right.keys(), left.keys() ^ right.keys()
    for name, tensor in left.items():
        other = right[name]
        assert tensor.dtype == other.dtype and tensor.shape == other.shape, name
        assert torch.equal(tensor.contiguous().view(-1).view(torch.uint8), other.contiguous().view(-1).view(torch.uint8)), name


def every_dtype_survives_both_ways(folder):
    generator = torch.Generator().manual_seed(1)
    tensors = {str(dtype): torch.randint(0, 2, (3, 5), generator=generator).to(dtype)
               for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
                             torch.int16, torch.int8, torch.uint8, torch.bool)}
    tensors |= {"scalar": torch.tensor(2.5), "empty": torch.zeros(0, 7), "größe": torch.randn(2, 3, generator=generator)}
    save_file(tensors, folder / "theirs.safetensors", metadata={"format": "pt", "note": "a \"quoted\" line\n"})
    done = run("copy", folder / "theirs.safetensors", folder / "ours.safetensors")
    assert done.returncode == 0, done.stderr
    same(load_file(folder / "ours.safetensors"), tensors)
    with safe_open(folder / "ours.safetensors", framework="pt") as ours:
        assert ours.metadata() == {"format": "pt", "note": "a \"quoted\" line\n"}


def both_refuse_the_same_damage(folder):
    save_file({"a": torch.ones(4), "b": torch.ones(2, 2)}, folder / "whole.safetensors")
    whole = (folder / "whole.safetensors").read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    damages = {
        "cut": whole[:-1], "longer": whole + b"\0", "header beyond": (2**40).to_bytes(8, "little") + whole[8:],
        "overlap": whole.replace(b"[16,32]", b"[12,28]"), "shape": whole.replace(b"[2,2]", b"[2,3]"),
        "dtype": whole.replace(b'"F32"', b'"F99"', 1), "only header": whole[:start],
    }
    for what, content in damages.items():
        (folder / "damaged.safetensors").write_bytes(content)
        try:
            load_file(folder / "damaged.safetensors")
            raise AssertionError(f"the reference takes {what}")
        except AssertionError:
            raise
        except Exception:
            pass
        (folder / "out.safetensors").unlink(missing_ok=True)
        done = run("copy", folder / "damaged.safetensors", folder / "out.safetensors")
        assert done.returncode == 79 and "damaged.safetensors" in done.stderr, (what, done)


def state_dict():
    """Every type, shared storages, views, a scalar, none at all, and what beside tensors stands in such files."""
    generator = torch.Generator().manual_seed(4)
    whole = torch.randn(4, 6, generator=generator)
    state = torch.nn.Linear(3, 2).state_dict()
    state |= {str(dtype): torch.randint(0, 2, (3, 5), generator=generator).to(dtype)
              for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
                            torch.int16, torch.int8, torch.uint8, torch.bool)}
    state |= {"scalar": torch.tensor(2.5), "empty": torch.zeros(0, 7), "größe": torch.randn(2, generator=generator), "tied": whole, "tied.too": whole,
              "rows": whole[1:3], "column": whole[:, 2], "transposed": whole.t(), "turned": whole.reshape(2, 3, 4).permute(2, 0, 1),
              "conv": torch.randn(2, 3, 4, 4, generator=generator).contiguous(memory_format=torch.channels_last),
              "parameter": torch.nn.Parameter(torch.ones(3)), "epoch": 3, "rate": 0.1, "done": True, "none": None, "names": ["a", ("b",)], "large": 2**40}
    return state


def files_of_torch_save_are_read_as_torch_reads_them(folder):
    for options in ({}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 3}, {"pickle_protocol": 4}, {"pickle_protocol": 5}):
        for state in (state_dict(), dict(state_dict())):
            torch.save(state, folder / "pytorch_model.bin", **options)
            (folder / "copied.safetensors").unlink(missing_ok=True)
            done = run("copy", folder / "pytorch_model.bin", folder / "copied.safetensors")
            assert done.returncode == 0, (options, done.stderr)
            theirs = {k: v.data for k, v in torch.load(folder / "pytorch_model.bin", weights_only=False).items() if isinstance(v, torch.Tensor)}
            same(load_file(folder / "copied.safetensors"), theirs)


def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def repacked(content, change, compression=zipfile.ZIP_STORED):
    """The archive with its data.pkl, or its entries, changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as there, zipfile.ZipFile(out, "w", compression) as here:
        for entry in there.infolist():
            changed = change(entry.filename, there.read(entry))
            if changed is not None:
                here.writestr(entry.filename, changed)
    return out.getvalue()


class RunsCode:
    def __reduce__(self):
        return os.system, ("touch code-was-run",)


def what_is_no_dictionary_of_tensors_is_refused(folder):
    """By file and reason, in little memory, and without running anything."""
    plain = saved({"a": torch.arange(8.0), "b": torch.ones(2, 2)})
    before_zip = saved({"a": torch.arange(8.0)}, _use_new_zipfile_serialization=False)

    def without(ending):
        return repacked(plain, lambda name, data: None if name.endswith(ending) else data)

    def with_entry(ending, change):
        return repacked(plain, lambda name, data: change(data) if name.endswith(ending) else data)

    def pickled(code):
        return with_entry("data.pkl", lambda _: b"\x80\x02" + code)

    rebuild, floats = b"ctorch._utils\n_rebuild_tensor_v2\nq\x00", b"X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    long_key = b"X" + struct.pack("<I", 16 << 20) + b"k" * (16 << 20)
    arguments = b"((" + floats + long_key + b"X\x03\x00\x00\x00cpuK\x01tQK\x00K\x01\x85K\x01\x85tq\x01"
    one_key_many_times = rebuild + arguments + b"h\x00h\x01R" * 2000 + b"."
    named_twice = pickle.dumps({"a": 1, "b": 2}, 2).replace(b"b", b"a", 1)
    cases = {
        ".system'": saved({"a": RunsCode()}),
        "builtins.eval": pickled(b"cbuiltins\neval\nX\x03\x00\x00\x001+1\x85R."),
        "torch.nn.modules.linear.Linear": saved(torch.nn.Linear(2, 2)),
        "no dictionary of tensors": saved([torch.ones(2)]),
        "stand at its keys 'state_dict'": saved({"state_dict": {"a": torch.ones(2)}, "epoch": 1}),
        "torch.ComplexFloatStorage": saved({"a": torch.ones(2, dtype=torch.complex64)}),
        "repeats elements": saved({"a": torch.ones(2, 1).expand(2, 3)}),
        "it has no end": plain[:-30],
        "beyond its storage": with_entry("data.pkl", lambda data: data.replace(b"K\x02K\x02\x86", b"K\x02K\x03\x86")),
        "is compressed": repacked(plain, lambda _, data: data, zipfile.ZIP_DEFLATED),
        "the storage '1' is missing": without("data/1"),
        "of another size": with_entry("data/1", lambda data: data[:-4]),
        "byte order is 'big'": with_entry("byteorder", lambda _: b"big"),
        "no data.pkl": without("data.pkl"),
        "instruction 105": pickled(b"i."),
        "more than 1000000 values": pickled(b")" * 1_000_001 + b"."),
        "no mark": pickled(b"t."),
        "nothing is there": pickled(b")(0.".replace(b"0", b"\x85")),
        "a value that was not there": pickled(b"h\x05."),
        "too large an index": pickled(b")r\xff\xff\xff\x7f."),
        "a number beyond 2^63": pickled(b"\x8a\xff" + b"\x01" * 255 + b"."),
        "too long a key": pickled(one_key_many_times),
        "cut short": pickled(b"X\xff\xff\xff\xffabc"),
        "is no dictionary": pickled(b"]q\x00(" + b"h\x00" * 3_000_000 + b"t."),
        "has two sizes": before_zip.replace(struct.pack("<qf", 8, 0), struct.pack("<qf", 9, 0)),
        "cut short in the storage": before_zip[:-1],
        "a dictionary without tensors": pickled(named_twice[2:]),
        "not a file of torch.save; it begins with 'hello'": b"hello",
        "it begins with ''": b"",
        "is a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 440473133\n",
    }
    for wanted, content in cases.items():
        (folder / "pytorch_model.bin").write_bytes(content)
        done = subprocess.run(["prlimit", f"--as={700 << 20}", EXCHANGE, "copy", "pytorch_model.bin", "copied.safetensors"], capture_output=True, text=True, cwd=folder, timeout=60)
        assert done.returncode == 79 and "pytorch_model.bin" in done.stderr and wanted in done.stderr, (wanted, done.returncode, done.stderr)
    assert sorted(path.name for path in folder.iterdir()) == ["pytorch_model.bin"]


def transformers_loads_a_checkpoint(folder, ranks):
    config = BertConfig(vocab_size=100, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
                        max_position_embeddings=20)
    torch.manual_seed(2)
    model = BertModel(config).eval()
    model.save_pretrained(folder / "model")
    done = run("save", folder / "model", folder / "run", ranks)
    assert done.returncode == 0, done.stderr
    checkpoint = folder / "run" / "checkpoint-5"
    files = sorted(path.name for path in checkpoint.glob("model*"))
    assert files[0] == "model-00001-of-00003.safetensors" if ranks == 3 else files == ["model.safetensors"], files
    loaded, report = BertModel.from_pretrained(checkpoint, output_loading_info=True)
    assert not any(report.values()), report
    same(loaded.state_dict(), model.state_dict())
    the_manifest_can_be_verified(checkpoint)
    # And back: an index written here is read here.
    done = run("save", checkpoint, folder / "again", 1)
    assert done.returncode == 0, done.stderr
    same(load_file(folder / "again" / "checkpoint-5" / "model.safetensors"), dict(model.state_dict()))


def the_manifest_can_be_verified(checkpoint):
    text = (checkpoint / "manifest.json").read_bytes()
    body, tail = text[:text.rindex(b' "crc32c"')], text[text.rindex(b' "crc32c"'):]
    assert tail == b' "crc32c": "%08x"\n}\n' % crc32c(body)
    manifest = json.loads(text)
    for file in manifest["files"]:
        content = (checkpoint / file["name"]).read_bytes()
        assert len(content) == file["bytes"] and "%08x" % crc32c(content) == file["crc32c"], file
    assert {file["name"] for file in manifest["files"]} | {"manifest.json"} == {path.name for path in checkpoint.iterdir()}


with tempfile.TemporaryDirectory() as name:
    for check in (every_dtype_survives_both_ways, both_refuse_the_same_damage, files_of_torch_save_are_read_as_torch_reads_them,
                  what_is_no_dictionary_of_tensors_is_refused,
                  lambda folder: transformers_loads_a_checkpoint(folder, 1), lambda folder: transformers_loads_a_checkpoint(folder, 3)):
        folder = pathlib.Path(tempfile.mkdtemp(dir=name))
        check(folder)
print("safetensors and transformers agree")
