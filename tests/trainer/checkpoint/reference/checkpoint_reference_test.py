"""Our files against the programs they are for: safetensors and transformers read what we write, we read
what they write, and the manifest can be verified from its description alone.

    checkpoint_reference_test.py EXCHANGE     (the program of exchange.cpp)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

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
    for check in (every_dtype_survives_both_ways, both_refuse_the_same_damage,
                  lambda folder: transformers_loads_a_checkpoint(folder, 1), lambda folder: transformers_loads_a_checkpoint(folder, 3)):
        folder = pathlib.Path(tempfile.mkdtemp(dir=name))
        check(folder)
print("safetensors and transformers agree")
