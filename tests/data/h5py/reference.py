"""HDF5 as h5py sees it: what h5py writes we read alike, what we write h5py reads.

    reference.py SAMPLES    the program built from samples.cpp
"""
import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

PROGRAM = sys.argv[1]
ROWS, COLUMNS, CLASSES = 203, 24, 5


def samples(path):
    run = subprocess.run([PROGRAM, path], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def check_foreign(folder):
    random = np.random.default_rng(0)
    lengths = random.integers(1, COLUMNS + 1, ROWS)
    real = np.arange(COLUMNS)[None, :] < lengths[:, None]
    ids = np.where(real, random.integers(1, 120, (ROWS, COLUMNS)), 0)
    types = np.where(real, random.integers(0, 2, (ROWS, COLUMNS)), 0)
    labels = random.integers(0, CLASSES, ROWS)
    labels[0] = CLASSES - 1
    wanted = [(ids[i, :n].tolist(), types[i, :n].tolist(), int(labels[i])) for i, n in enumerate(lengths)]

    storages = [{}, {"chunks": True}, {"chunks": (7, 5)}, {"compression": "gzip"},
                {"compression": "gzip", "shuffle": True, "fletcher32": True, "chunks": (50, 24)},
                {"fletcher32": True, "chunks": (203, 1)}]
    forms = [("i8", "i8", labels), ("<u2", "?", labels.astype("u1")), (">i4", ">i2", labels.astype(">i4")),
             ("i1", "u1", np.eye(CLASSES)[labels]), ("u8", "i8", np.eye(CLASSES, dtype="f4")[labels]),
             ("i4", "i4", np.eye(CLASSES, dtype="i1")[labels])]
    for libver in ("earliest", "v108", "v110"):
        for storage in storages:
            for id_type, mask_type, targets in forms:
                path = os.path.join(folder, "foreign.h5")
                with h5py.File(path, "w", libver=libver) as file:
                    file.attrs["made by"] = "h5py"  # a variable-length string
                    file.create_dataset("input_ids", data=ids.astype(id_type), **storage)
                    file.create_dataset("attention_mask", data=real.astype(mask_type), **storage)
                    file.create_dataset("token_type_ids", data=types.astype("i8"), **storage)
                    file.create_dataset("labels", data=targets)
                    file.create_dataset("texts", data=["a"] * ROWS)
                found = [(s["tokens"], s["segments"], s["label"]) for s in samples(path)]
                assert found == wanted, (libver, storage, id_type, mask_type)

    flags = (random.random((ROWS, CLASSES)) < 0.3).astype("f4")
    numbers = random.standard_normal((ROWS, 2)).astype("f4")
    for targets in (flags, flags.astype("?"), flags.astype("u1"), numbers, numbers.astype(">f8"), numbers[:, 0], numbers[:, :1]):
        for storage in ({}, {"compression": "gzip", "shuffle": True}):
            with h5py.File(path, "w") as file:
                file.create_dataset("input_ids", data=ids)
                file.create_dataset("attention_mask", data=real)
                file.create_dataset("labels", data=targets, **storage)
            assert [s["values"] for s in samples(path)] == targets.reshape(ROWS, -1).astype("f4").tolist()


def check_shard(folder):
    path, count = os.path.join(folder, "shard.h5"), 500
    subprocess.run([PROGRAM, "write", path, str(count)], check=True)
    with h5py.File(path) as file:
        assert file.attrs["format"] == b"sft-dist" and file.attrs["version"] == 2
        assert file.attrs["num_samples"] == count and file.attrs["num_rows"] == count // 2
        words = lambda name: [word.decode() for word in file.attrs[name]]
        assert words("columns") == ["tokens", "labels", "segments"] and words("axes") == ["token", "", "token"]
        assert words("numbers") == ["int32", "int64", "uint8"] and words("roles") == ["input", "target", "input"]
        assert words("units") == ["token"] and file.attrs["bounds"].tolist() == [60000, 2, 0]
        assert [name.decode() for name in file.attrs["label_names"]] == ["no", "größe"]
        assert sorted(file) == ["checksums", "labels", "rows", "segments", "token_offsets", "tokens", "weights"]
        assert file["tokens"].dtype == np.uint16 and file["token_offsets"].dtype == np.int64
        offsets, tokens, segments = file["token_offsets"][:], file["tokens"][:], file["segments"][:]
        for i in range(count):
            part = slice(offsets[i], offsets[i + 1])
            assert tokens[part].tolist() == [100 * i + t for t in range(i % 5 + 1)]
            assert segments[part].tolist() == [t % 2 for t in range(i % 5 + 1)]
        assert (file["labels"][:] == np.arange(count) % 2).all()
        assert (file["weights"][:] == 0.25 * np.arange(count)).all()
        assert (file["rows"][:] == np.arange(count) // 2).all()
        blocks = [crc32c(file[name][:].tobytes()) for name in ("tokens", "labels", "segments", "token_offsets", "weights", "rows")]
        assert file["checksums"][:].tolist() == blocks

        # The same shard as an archive: chunked and compressed.
        archive = os.path.join(folder, "archive.h5")
        with h5py.File(archive, "w") as out:
            for name, value in file.attrs.items():
                out.attrs[name] = value
            for name in file:
                out.create_dataset(name, data=file[name][:], compression="gzip", shuffle=True, chunks=(200,) if file[name].size > 200 else True)
    assert samples(archive) == samples(path)


with tempfile.TemporaryDirectory() as folder:
    check_foreign(folder)
    check_shard(folder)
print("h5py and sft-dist read each other's files alike")
