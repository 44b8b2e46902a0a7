"""Keras files, from raw images to a model.h5 that Keras loads; and files that are none."""
import json
import os
import pathlib
import unittest
import zipfile

from harness import EndToEnd, read_rows
from test_images import CLASSES, make_images

SIDE = 24


def layer(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, **config}}


def layers(classes=3):
    return [layer("InputLayer", "in", batch_input_shape=[None, SIDE, SIDE, 3]), layer("Rescaling", "scale", scale=1 / 127.5, offset=-1.0),
            layer("Conv2D", "conv", filters=8, kernel_size=[3, 3], strides=[2, 2], padding="same", activation="relu"),
            layer("BatchNormalization", "norm"), layer("GlobalAveragePooling2D", "pool"), layer("Dropout", "drop", rate=0.0),
            layer("Dense", "predictions", units=classes, activation="softmax")]


def weights(classes=3):
    import numpy as np

    draw = np.random.default_rng(5)
    return {"conv": {"kernel": draw.normal(0, 0.3, (3, 3, 3, 8)), "bias": draw.normal(0, 0.1, 8)},
            "norm": {"gamma": draw.uniform(0.5, 1.5, 8), "beta": draw.normal(0, 0.1, 8), "moving_mean": draw.normal(0, 0.1, 8), "moving_variance": draw.uniform(0.5, 1.5, 8)},
            "predictions": {"kernel": draw.normal(0, 0.5, (8, classes)), "bias": draw.normal(0, 0.1, classes)}}


def write_h5(path, made=None, values=None, config=None, **attributes):
    """As Keras 2 writes it."""
    import h5py

    made, values = made or layers(), values if values is not None else weights()
    with h5py.File(path, "w") as file:
        config = config or json.dumps({"class_name": "Sequential", "config": {"name": "net", "layers": made}})
        file.attrs.update({"keras_version": "2.15.0", "backend": "tensorflow", "model_config": config, **attributes})
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [one["config"]["name"].encode() for one in made[1:]]
        for one in made[1:]:
            name = one["config"]["name"]
            group = root.create_group(name)
            own = values.get(name, {})
            group.attrs["weight_names"] = [f"{name}/{variable}:0".encode() for variable in own]
            for variable, value in own.items():
                group.create_dataset(f"{name}/{variable}:0", data=value.astype("float32") if value.dtype == "float64" else value)
    return pathlib.Path(path)


class KerasFiles(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, count, seed in (("train", 48, 1), ("test", 17, 3)):
            make_images(cls.shared / name, count, seed, side=SIDE)

    def keras_config(self, model, name="run", **sections):
        values = {"model": {"model_name_or_path": str(model), "task": "image_classification"},
                  "data": {"train_file": str(self.shared / "train"), "validation_file": None, "test_file": str(self.shared / "test"), "max_length": None},
                  "optim": {"optim": "adam", "adam_epsilon": 1e-7, "adam_epsilon_style": "keras", "learning_rate": 1e-2}}
        for section, keys in sections.items():
            values.setdefault(section, {}).update(keys)
        return self.config(name, **values)

    def refuse(self, code, *wanted, model):
        done = self.run_program(self.keras_config(model))
        errors = [line for line in done.err.splitlines() if "error:" in line]
        self.assertEqual((done.code, len(errors)), (code, 1), done.err)
        for word in wanted:
            self.assertIn(word, errors[0])

    def scores_of_keras(self, path):
        os.environ.setdefault("KERAS_BACKEND", "torch")
        try:
            import keras
        except ImportError as missing:
            self.skipTest(f"no Keras to compare with: {missing}")
        import numpy as np
        from PIL import Image

        files = sorted(one for one in (self.shared / "test").rglob("*") if one.suffix in (".jpg", ".png"))
        pixels = np.stack([np.asarray(Image.open(one).convert("RGB"), np.float32) for one in files])
        return keras.saving.load_model(path, compile=False).predict(pixels, verbose=0).tolist()

    def assert_same_scores(self, rows, scores, names):
        self.assertEqual(len(rows), len(scores))
        for row, theirs in zip(rows, scores):
            for name, score in zip(names, theirs):
                self.assertAlmostEqual(row["scores"][name], score, delta=1e-5)

    def test_predicts_trains_and_exports_as_keras(self):
        model = write_h5(self.home / "pretrained_model.h5")
        self.succeed("predict", model, "--input", self.shared / "test", "--output", self.home / "before.jsonl", ranks=2)
        self.assert_same_scores(read_rows(self.home / "before.jsonl"), self.scores_of_keras(model), ["LABEL_0", "LABEL_1", "LABEL_2"])
        done = self.succeed(self.keras_config(model, train={"num_train_epochs": 8}, freeze={"all_but_last": 2}, **{"model.config": {"output_layer": "new"}}), ranks=2)
        self.assertIn("layers (+ trained, - frozen): in, scale (Rescaling), - conv (Conv2D), - norm (BatchNormalization), pool (GlobalAveragePooling2D), drop (Dropout), + the output layer", done.err)
        exported = self.run_dir() / "model" / "model.h5"
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), self.scores_of_keras(exported), CLASSES)
        self.succeed("predict", exported, "--input", self.shared / "test", "--output", self.home / "again.jsonl")
        for again, first in zip(read_rows(self.home / "again.jsonl"), read_rows(self.run_dir() / "predictions.jsonl")):
            for ours, theirs in zip(again["scores"].values(), first["scores"].values()):
                self.assertAlmostEqual(ours, theirs, delta=1e-6)

    def test_files_that_are_no_keras_model(self):
        import h5py
        import numpy as np

        model = write_h5(self.home / "model.h5")
        whole = model.read_bytes()
        model.write_bytes(whole[:len(whole) // 2])
        self.refuse(79, "model.h5", model=model)
        model.write_bytes(b"")
        self.refuse(79, "model.h5", "is not an HDF5 file", model=model)
        with h5py.File(model, "w") as file:
            file["pixels"] = np.zeros((2, 2))
        self.refuse(79, "model.h5", "is no Keras model", "data.train_file", model=model)

    def test_weights_that_do_not_fit_the_layers(self):
        import h5py
        import numpy as np

        model = write_h5(self.home / "model.h5")

        def change(edit):
            write_h5(model)
            with h5py.File(model, "a") as file:
                edit(file["model_weights"])

        change(lambda root: root["conv"].attrs.__setitem__("weight_names", [b"conv/nothing:0", b"conv/bias:0"]))
        self.refuse(79, "model.h5", "model_weights/conv/conv/nothing:0", model=model)
        change(lambda root: root["norm"].attrs.__setitem__("weight_names", [b"norm/gamma:0"]))
        self.refuse(79, "model.h5", "layer 'norm' (BatchNormalization)", "has 1 weights of it, and it takes 4", model=model)
        change(lambda root: root.__delitem__("predictions"))
        self.refuse(79, "model.h5", "layer 'predictions' (Dense)", "no weights of this layer", model=model)
        change(lambda root: root["conv"].__setitem__("soft", h5py.SoftLink("/model_weights/norm")))
        self.refuse(79, "model.h5", "soft link", model=model)
        values = weights()
        values["conv"]["kernel"] = np.ones((3, 3, 3, 8), "int8")
        self.refuse(79, "model.h5", "conv/kernel:0", "int8", model=write_h5(model, values=values))
        values["conv"]["kernel"] = np.full((3, 3, 3, 8), np.nan)
        self.refuse(79, "conv/kernel", "NaN", model=write_h5(model, values=values))
        values["conv"]["kernel"] = np.ones((5, 5, 3, 8))
        self.refuse(79, "conv/kernel [5, 5, 3, 8] in the file, [3, 3, 3, 8] in the model", model=write_h5(model, values=values))

    def test_layers_that_are_not_built(self):
        made = layers()
        made[4] = layer("Lambda", "trick", function="print('never')")
        self.refuse(78, "layer 'trick' (Lambda)", "Python code", model=write_h5(self.home / "model.h5", made))
        made[4] = layer("GlobalAveragePooling2D", "pool", data_format="channels_first")
        self.refuse(78, "layer 'pool'", "channels_first", model=write_h5(self.home / "model.h5", made))
        made = layers()
        made[2]["config"]["filters"] = 2 ** 40
        self.refuse(79, "layer 'conv' (Conv2D)", "filters", model=write_h5(self.home / "model.h5", made))
        self.refuse(79, "model_config", model=write_h5(self.home / "model.h5", config="[" * 5000))
        self.refuse(79, "model_config has", "bytes", model=write_h5(self.home / "model.h5", config='"' + "x" * (17 << 20) + '"'))

    def test_archives_that_are_not_keras(self):
        made = {"class_name": "Sequential", "config": {"name": "net", "layers": layers()}}

        def archive(method=zipfile.ZIP_STORED, more=(), **entries):
            path = self.home / "model.keras"
            content = {"metadata.json": '{"keras_version": "3.15.1"}', "config.json": json.dumps(made), "model.weights.h5": b"", **entries}
            with zipfile.ZipFile(path, "w", method) as zipped:
                for name, text in [*content.items(), *more]:
                    zipped.writestr(name, text)
            return path

        self.refuse(79, "model.keras", "'metadata.json' is compressed", model=archive(zipfile.ZIP_DEFLATED))
        self.refuse(79, "model.keras", "is not an HDF5 file", model=archive())
        self.refuse(79, "model.keras", "stands twice", model=archive(more=[("config.json", "{}")]))
        whole = archive().read_bytes()
        (self.home / "model.keras").write_bytes(whole[:-30])
        self.refuse(79, "model.keras", "cut short", model=self.home / "model.keras")
        damaged = bytearray(whole)
        damaged[whole.index(b"Sequential")] ^= 1
        (self.home / "model.keras").write_bytes(damaged)
        self.refuse(79, "config.json", "checksum differs", model=self.home / "model.keras")
        damaged = bytearray(archive(**{"model.weights.h5": b"weights"}).read_bytes())
        damaged[damaged.index(b"weightsPK")] ^= 1
        (self.home / "model.keras").write_bytes(damaged)
        self.refuse(79, "'model.weights.h5' is damaged", "checksum differs", model=self.home / "model.keras")


if __name__ == "__main__":
    unittest.main()
