"""Files that Keras 2.15 writes, and our exports in its hands; in an environment of its own (make test-keras-2).

    run.py PARITY_KERAS [OLD_FILE]

Probabilities of a sequential model, of a residual one, of MobileNetV2 nested in a model, of weights alone and of the file of
Keras 2.0.5 that tools/fetch_keras_demo.py brings, to 1e-5; and those of each exported model.h5 when Keras 2.15 loads it.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers as L

CLASSES = 5


def sequential():
    return tf.keras.Sequential([L.InputLayer((16, 16, 3)), L.Conv2D(6, 3, strides=2, padding="same", activation="relu"), L.BatchNormalization(), L.SeparableConv2D(8, 3, padding="same"),
                                L.LeakyReLU(0.1), L.MaxPooling2D(3, strides=2, padding="same"), L.DepthwiseConv2D(3, padding="same"), L.ReLU(6.0), L.Flatten(), L.Dropout(0.3),
                                L.Dense(9, activation="hard_sigmoid"), L.Dense(CLASSES, activation="softmax")])


def residual():
    x = entry = L.Input((16, 16, 3))
    x = L.BatchNormalization()(L.Conv2D(8, 3, padding="same")(x))
    x = L.Activation("swish")(L.add([x, L.Conv2D(8, 3, padding="same")(x)]))
    x = L.GlobalAveragePooling2D()(L.concatenate([x, L.AveragePooling2D(3, strides=1, padding="same")(x)]))
    return tf.keras.Model(entry, L.Activation("softmax")(L.Dense(CLASSES)(x)))


def nested():
    base = tf.keras.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None)
    base.trainable = False
    x = entry = L.Input((32, 32, 3))
    x = L.GlobalAveragePooling2D()(base(L.Rescaling(1 / 127.5, offset=-1)(x), training=False))
    return tf.keras.Model(entry, L.Dense(CLASSES, activation="softmax")(x))


def cases(old):
    yield "sequential", sequential(), "model.h5", "unit"
    yield "residual", residual(), "model.h5", "tf"
    yield "MobileNetV2 nested", nested(), "model.h5", "raw"
    yield "weights alone", sequential(), "model.weights.h5", "unit"
    if old:
        yield "Keras 2.0.5", tf.keras.models.load_model(old, compile=False), old, "tf"


def scaled(pixels, mode):
    x = pixels.astype(np.float32)
    return {"unit": x / 255, "tf": x / 127.5 - 1, "raw": x}[mode]


def check(tool, number, name, model, file, mode):
    draw = np.random.default_rng(number)
    if file.startswith("model."):
        for variable in model.variables:
            if "moving_variance" in variable.name or "gamma" in variable.name:
                variable.assign(draw.uniform(0.5, 1.5, variable.shape))
    _, height, width, channels = model.input_shape
    pixels = draw.integers(0, 256, (7, height, width, 1 if channels == 1 else 3)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        path = root / pathlib.Path(file).name
        if file == "model.weights.h5":
            model.save_weights(path)
            (root / "model.json").write_text(model.to_json())
        elif file == "model.h5":
            model.save(path)
        else:
            path.write_bytes(pathlib.Path(file).read_bytes())
        (root / "pixels.bin").write_bytes(np.repeat(pixels, 3 // pixels.shape[-1], -1).tobytes())
        (root / "labels.bin").write_bytes(np.zeros(7, np.int64).tobytes())
        classes = model.output_shape[-1]
        (root / "case.json").write_text(json.dumps({"file": path.name, "config": {"preprocessing": mode}, "classes": classes, "height": height, "width": width, "all_but_last": -1,
                                                    "batches": [], "rate": 0.0, "head": False}))
        subprocess.run([tool, folder], check=True)
        ours = np.frombuffer((root / "out.bin").read_bytes(), np.float32).reshape(2, 7, classes)[0]
        theirs = model(scaled(pixels, mode), training=False).numpy()
        exported = tf.keras.models.load_model(root / "exported.h5", compile=False)(scaled(pixels, mode), training=False).numpy()
    worst = np.max([np.abs(ours - theirs).max(), np.abs(exported - theirs).max()])  # max() of Python would lose a NaN
    print(f"{'ok  ' if worst < 1e-5 else 'FAIL'} {name}: worst {worst:.1e}", flush=True)
    return worst < 1e-5


def main():
    tf.keras.utils.set_random_seed(1)
    good = [check(sys.argv[1], number, *case) for number, case in enumerate(cases(sys.argv[2] if len(sys.argv) > 2 else ""))]
    print(f"{sum(good)} of {len(good)} models agree with Keras {tf.keras.__version__}")
    sys.exit(0 if all(good) else 1)


main()
