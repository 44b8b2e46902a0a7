"""Rows in the formats that people have, and predictions in the form that they want."""
import csv
import gzip
import json
import math
import subprocess
import unittest

from harness import LABELS, EndToEnd, make_rows, read_rows, write_rows
from pictures import CLASSES, PictureRuns
from test_images import make_resnet


def columns_of(directory):
    """The columns of all shards, end to end."""
    import h5py
    import numpy as np

    parts = {}
    for path in sorted(directory.glob("train-*/*.h5")):
        with h5py.File(path) as shard:
            for name in shard:
                if not name.endswith("offsets") and name != "checksums":
                    parts.setdefault(name, []).append(shard[name][:])
            for name in [name for name in shard if name.endswith("offsets")]:
                parts.setdefault(name, []).append(np.diff(shard[name][:]))
    return {name: np.concatenate(of_shards).tobytes() for name, of_shards in parts.items()}


class Formats(EndToEnd):
    def datasets_directory(self, rows):
        import datasets

        features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=LABELS)})
        table = {"text": [row["text"] for row in rows], "label": [row["label"] for row in rows]}
        saved = datasets.Dataset.from_dict(table, features=features)
        splits = datasets.DatasetDict({"train": saved, "validation": saved.select(range(30)), "test": saved.select(range(20))})
        splits.save_to_disk(self.home / "saved", num_shards={"train": 2, "validation": 1, "test": 1})
        return self.home / "saved"

    def test_same_rows_are_the_same_samples(self):
        import pyarrow as pa
        import pyarrow.parquet as parquet

        rows = make_rows(90, 6)
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        write_rows(self.home / "rows.jsonl", rows)
        with gzip.open(self.home / "rows.csv.gz", "wt", newline="") as out:
            writer = csv.DictWriter(out, ["text", "label"])
            writer.writeheader()
            writer.writerows(rows)
        (self.home / "array.json").write_text(json.dumps(rows, indent=1))
        with pa.CompressedOutputStream(str(self.home / "rows.jsonl.zst"), "zstd") as out:
            out.write(lines)
        parquet.write_table(pa.Table.from_pylist(rows), self.home / "rows.parquet", row_group_size=20, compression="zstd")
        files = ["rows.jsonl", "rows.csv.gz", "array.json", "rows.jsonl.zst", "rows.parquet", self.datasets_directory(rows).name]
        prepared = []
        for i, name in enumerate(files):
            shards = self.home / f"shards-{i}"
            self.succeed("prepare", self.config(data={"train_file": str(self.home / name), "validation_file": None, "test_file": None, "prepared_dir": str(shards)}), ranks=2)
            prepared.append(columns_of(shards))
            self.assertEqual(prepared[-1], prepared[0], name)
        self.assertIn("tokens", prepared[0])

    def test_a_dataset_of_splits_trains_and_is_scored(self):
        saved = self.datasets_directory(make_rows(90, 7))
        keys = dict.fromkeys(("train_file", "validation_file", "test_file"), str(saved))
        self.succeed(self.config(data=keys, train={"max_steps": 12}), ranks=2)
        config = json.loads((self.run_dir() / "model/config.json").read_text())
        self.assertEqual(sorted(config["label2id"]), sorted(LABELS))
        self.assertEqual(len(read_rows(self.run_dir() / "predictions.jsonl")), 20)
        (saved / "train/data-00001-of-00002.arrow").unlink()
        done = self.run_program("prepare", self.config("gone", data=keys))
        self.assertEqual(done.code, 79)
        self.assertIn("state.json: names 'data-00001-of-00002.arrow', which is not there", done.err)

    def test_predictions_take_the_form_that_is_asked_for(self):
        self.succeed(self.config(train={"max_steps": 4}))
        rows = [{"id": i, "text": row["text"], "label": row["label"]} for i, row in enumerate(make_rows(25, 8))]
        write_rows(self.home / "rows.jsonl", rows)
        self.succeed("predict", self.run_dir(), "--input", self.home / "rows.jsonl", "--output", self.home / "plain.jsonl")
        plain = read_rows(self.home / "plain.jsonl")

        command = self.command("predict", self.run_dir(), "--input", "-", "--output", "-", "--keep", "id", "label", "--top-k", "2", "--logits", ranks=2)
        done = subprocess.run(command, input=(self.home / "rows.jsonl").read_text(), capture_output=True, text=True, timeout=120, cwd=self.home)
        self.assertEqual(done.returncode, 0, done.stderr)
        piped = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(piped), len(rows))
        for row, whole, one in zip(rows, plain, piped):
            self.assertEqual(list(one), ["id", "input_label", "label", "score", "scores", "logits"])
            self.assertEqual((one["id"], one["input_label"], one["label"]), (row["id"], row["label"], whole["label"]))
            best = sorted(whole["scores"].values(), reverse=True)[:2]
            self.assertEqual(len(one["scores"]), 2)
            for got, wanted in zip(one["scores"].values(), best):
                self.assertAlmostEqual(got, wanted, delta=1e-5)
            total = sum(math.exp(value) for value in one["logits"])
            for value, score in zip(one["logits"], whole["scores"].values(), strict=True):
                self.assertAlmostEqual(math.exp(value) / total, score, delta=1e-5)
        self.assertEqual([path.name for path in self.home.iterdir() if "sft-dist-predict" in path.name], [])

        self.succeed("predict", self.run_dir(), "--input", self.home / "rows.jsonl", "--output", self.home / "p.csv", "--keep", "text")
        with open(self.home / "p.csv", newline="") as file:
            table = list(csv.DictReader(file))
        self.assertEqual([(row["text"], row["label"]) for row in table], [(row["text"], whole["label"]) for row, whole in zip(rows, plain)])
        self.assertEqual([float(row["scores.beta"]) for row in table], [whole["scores"]["beta"] for whole in plain])
        missing = self.run_program("predict", self.run_dir(), "--input", self.home / "rows.jsonl", "--output", self.home / "p.csv", "--keep", "txt")
        self.assertEqual(missing.code, 78)
        self.assertIn("--keep 'txt', but the columns are: id, text, label (did you mean 'text'?)", missing.err)


class Pictures(PictureRuns):
    def test_rows_that_name_or_hold_images_are_the_images(self):
        import pyarrow as pa
        import pyarrow.parquet as parquet

        folder = self.shared / "train"
        files = [path for name in CLASSES for path in sorted((folder / name).iterdir())]
        (self.home / "there").symlink_to(folder)
        with open(self.home / "manifest.csv", "w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["file_name", "kind"])
            writer.writerows([f"there/{path.parent.name}/{path.name}", path.parent.name] for path in files)
        held = [{"image": {"bytes": path.read_bytes(), "path": path.name}, "kind": path.parent.name} for path in files]
        parquet.write_table(pa.Table.from_pylist(held), self.home / "held.parquet", row_group_size=25)
        make_resnet(self.home / "resnet")
        prepared = []
        for name, more in ((folder, {}), (self.home / "manifest.csv", {"label_column": "kind"}), (self.home / "held.parquet", {"label_column": "kind"})):
            shards = self.home / f"shards-{len(prepared)}"
            keys = {"train_file": str(name), "validation_file": None, "test_file": None, "prepared_dir": str(shards), **more}
            self.succeed("prepare", self.images_config(model={"model_name_or_path": str(self.home / "resnet")}, data=keys), ranks=2)
            prepared.append(columns_of(shards))
            self.assertEqual(prepared[-1], prepared[0], name)
        self.assertIn("pixels", prepared[0])
        with open(self.home / "manifest.csv", "a") as out:
            out.write("there/none.png,warm\n")
        done = self.run_program("prepare", self.images_config("gone", model={"model_name_or_path": str(self.home / "resnet")}, data={"train_file": str(self.home / "manifest.csv"), "validation_file": None, "test_file": None, "label_column": "kind"}))
        self.assertEqual(done.code, 79)
        self.assertIn("manifest.csv:68: 'file_name' names", done.err)


if __name__ == "__main__":
    unittest.main()
