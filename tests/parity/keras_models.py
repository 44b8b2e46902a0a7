"""Keras models against Keras 3, live, on its torch backend: the same files, the same pictures in the same batches.

    keras_models.py PARITY_KERAS

Probabilities before and after training to 1e-5; the gradients of a first update; all weights and moving statistics after
the last; and the exported model.h5, which Keras loads and which predicts what we predict. Training is Adam as Keras has
it, over the layers that layers[:-3] leaves.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
try:
    import keras
    import numpy as np
    import torch
    from keras import layers as L
except ImportError as missing:
    print(f"SKIPPED: no parity was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

SIDE, CLASSES, RATE = 16, 5, 1e-3
PREPROCESSED = {"unit": lambda x: x / 255, "tf": lambda x: x / 127.5 - 1, "raw": lambda x: x,
                "caffe": lambda x: x[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32),
                "torch": lambda x: (x / 255 - np.array([0.485, 0.456, 0.406], np.float32)) / np.array([0.229, 0.224, 0.225], np.float32)}


def sequential(side=SIDE, channels=3):
    """No bias stands right before a norm: its gradient is rounding alone, of which Adam makes a whole step. Strides of two over "same", a separable and a depthwise convolution, poolings that overlap, rows under a norm."""
    return keras.Sequential([
        L.Input((side, side, channels)), L.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="first"),
        L.BatchNormalization(), L.MaxPooling2D(3, strides=2, padding="same"), L.SeparableConv2D(8, 3, padding="same", depth_multiplier=2),
        L.LeakyReLU(), L.ZeroPadding2D(((1, 0), (2, 1))), L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, use_bias=False),
        L.BatchNormalization(scale=False), L.ReLU(6.0), L.AveragePooling2D(2, strides=1, padding="same"), L.Flatten(), L.Dropout(0.0),
        L.Dense(12, activation="tanh"), L.BatchNormalization(), L.Activation("hard_sigmoid"), L.Dense(CLASSES, activation="softmax", name="predictions")])


def residual():
    """A functional graph: a residual block, channels weighted as squeeze and excitation has them, branches joined."""
    x = entry = L.Input((SIDE, SIDE, 3))
    x = L.Conv2D(8, 3, padding="same", use_bias=False)(x)
    x = L.BatchNormalization(epsilon=1.001e-5)(x)
    y = L.Conv2D(8, 3, padding="same", groups=2, activation="swish")(x)
    y = L.BatchNormalization(center=False)(y)
    x = L.Activation("relu")(L.Add()([x, y]))
    gate = L.GlobalAveragePooling2D(keepdims=True)(x)
    gate = L.Conv2D(8, 1, activation="sigmoid")(gate)
    x = L.Multiply()([x, gate])
    a, b = L.Conv2D(4, 3, dilation_rate=2)(x), L.Conv2D(3, 5)(x)
    x = L.Concatenate()([a, b])
    x = L.Reshape((6, 24, 7))(x)
    x = L.Flatten()(L.MaxPooling2D((2, 3))(x))
    return keras.Model(entry, L.Softmax()(L.Dense(CLASSES)(L.ELU()(L.Dense(9)(x)))))


def nested(training=None):
    """Transfer learning: a Rescaling, a whole model in the place of a layer, a new end."""
    x = entry = L.Input((SIDE, SIDE, 3))
    x = L.Conv2D(6, 3, strides=2, name="stem")(x)
    y = L.BatchNormalization()(L.Conv2D(6, 3, padding="same", use_bias=False)(x))
    base = keras.Model(entry, L.Activation("gelu")(L.Add()([x, y])), name="trunk")
    x = entry = L.Input((SIDE, SIDE, 3))
    x = base(L.Rescaling(1 / 127.5, offset=-1)(x), **({} if training is None else {"training": training}))
    x = L.Dense(7, activation="tanh")(L.GlobalMaxPooling2D()(x))
    return keras.Model(entry, L.Dense(CLASSES, activation="softmax")(x))


def emotions():
    """No Dense at all: a convolution to as many channels as classes, averaged, under a softmax. One grey channel."""
    x = entry = L.Input((SIDE, SIDE, 1))
    x = L.SeparableConv2D(6, 3, use_bias=False)(L.Conv2D(5, 3, activation="relu")(x))
    x = L.MaxPooling2D(3, strides=2, padding="same")(L.Activation("relu")(L.BatchNormalization()(x)))
    x = L.GlobalAveragePooling2D()(L.Conv2D(CLASSES, 3, padding="same")(x))
    return keras.Model(entry, L.Activation("softmax", name="emotions")(x))


def headless():
    return keras.Sequential([L.Input((SIDE, SIDE, 3)), L.Normalization(mean=[129.0, 118.0, 107.0], variance=[5400.0, 5200.0, 5300.0]), L.Conv2D(6, 3, activation="selu", name="features")])


def adapted():
    """A trunk that begins with a Normalization of numbers learned from data; norms that have nothing of their own to train."""
    x = entry = L.Input((SIDE, SIDE, 3))
    scaling = L.Normalization()
    scaling.adapt(np.random.default_rng(9).uniform(0, 255, (5, SIDE, SIDE, 3)).astype(np.float32))
    x = L.BatchNormalization(scale=False, center=False)(L.Conv2D(6, 3, use_bias=False)(scaling(x)))
    trunk = keras.Model(entry, L.ReLU()(x), name="trunk")
    x = entry = L.Input((SIDE, SIDE, 3))
    x = L.BatchNormalization(scale=False, center=False)(L.Conv2D(4, 3, strides=2, use_bias=False)(trunk(x)))
    return keras.Model(entry, L.Dense(CLASSES, activation="softmax")(L.Flatten()(L.ReLU()(x))))


def with_new_end(model, drop, pool):
    """What the tutorial means: model.pop() and a new Dense, which the functional form has to spell out."""
    x = model.layers[-1 - drop].output
    x = L.GlobalAveragePooling2D()(x) if pool else x
    return keras.Model(model.inputs, L.Dense(CLASSES, activation="softmax", name="output")(x))


# name, model, ending of the file, what is laid over the config, whether the end is new, all_but_last.
def cases():
    yield "sequential, .h5", sequential(), ".h5", {"preprocessing": "tf"}, None, -1
    yield "sequential, .keras, last two layers", sequential(), ".keras", {}, None, 2
    yield "sequential, .weights.h5", sequential(), ".weights.h5", {"preprocessing": "torch"}, None, -1
    yield "residual, .h5", residual(), ".h5", {"preprocessing": "caffe"}, None, -1
    yield "residual, .keras, from inside the block", residual(), ".keras", {}, None, 13
    yield "nested, .h5", nested(), ".h5", {}, None, -1
    yield "nested, .keras, base called with training=False", nested(training=False), ".keras", {}, None, -1
    yield "grey convolutions to the end, .h5", emotions(), ".h5", {}, None, -1
    yield "adapted, .h5", adapted(), ".h5", {"preprocessing": "raw"}, None, -1
    yield "adapted, .keras, without its trunk", adapted(), ".keras", {"preprocessing": "raw"}, None, 4
    yield "new end, layers[:-3]", sequential(), ".h5", {"output_layer": "new"}, (1, False), 2
    yield "new end on a headless model", headless(), ".keras", {}, (0, True), 0


def preprocessed(pixels, mode, channels):
    if channels == 1:
        rgb = pixels.astype(np.int64)
        grey = (rgb[..., 0] * 19595 + rgb[..., 1] * 38470 + rgb[..., 2] * 7471 + 0x8000) >> 16
        pixels = grey[..., None]
    return np.ascontiguousarray(PREPROCESSED[mode](pixels.astype(np.float32)), np.float32)


def shaken(model, draw):
    """Statistics and norms that could not be mistaken for fresh ones."""
    for variable in model.variables:
        if "moving_variance" in variable.path or variable.name == "gamma":
            variable.assign(draw.uniform(0.5, 1.5, variable.shape))
        elif variable.name in ("moving_mean", "beta", "bias"):
            variable.assign(draw.normal(0, 0.2, variable.shape))
    return model


def freeze(model, all_but_last):
    """As layers[:-3] does, where the output layer is one; a norm that does not train keeps its statistics."""
    of_output = 2 if isinstance(model.layers[-1], L.Softmax) else 1
    if all_but_last >= 0:
        for layer in model.layers[:-(all_but_last + of_output)]:
            layer.trainable = False


def name_of(variable, model):
    """Ours: the path of layers within the model."""
    def find(layers, path):
        for layer in layers:
            inner = getattr(layer, "layers", None)
            if inner:
                yield from find(inner, path + [layer.name])
            for weight in () if inner else layer.weights:
                yield id(weight), "/".join(path + [layer.name, weight.name])
    return dict(find(model.layers, []))[id(variable)]


def train(model, x, labels, batches):
    optimizer = keras.optimizers.Adam(RATE)
    first = None
    start = 0
    trained = model.trainable_variables
    for count in batches:
        probabilities = model(x[start:start + count], training=True)
        target = torch.tensor(labels[start:start + count])
        loss = -torch.log(probabilities[torch.arange(count), target]).mean()
        model.zero_grad()
        loss.backward()
        gradients = [v.value.grad for v in trained]
        if first is None:
            first = {name_of(v, model): g.clone().numpy() for v, g in zip(trained, gradients)}
        with torch.no_grad():
            optimizer.apply([g.clone() for g in gradients], trained)
        start += count
    return first


def split(path, shapes):
    values, at, parts = np.frombuffer(path.read_bytes(), np.float32), 0, {}
    for name, shape in shapes:
        parts[name] = values[at:at + int(np.prod(shape))].reshape(shape)
        at += int(np.prod(shape))
    assert at == values.size, f"{path} has {values.size} numbers, and the model {at}"
    return parts


def check(tool, number, name, model, ending, config, end, all_but_last):
    draw = np.random.default_rng(number)
    shaken(model, draw)
    channels = model.inputs[0].shape[-1]
    own_scaling = any(isinstance(layer, (L.Rescaling, L.Normalization)) for layer in model.layers)
    mode = config.get("preprocessing", "raw" if own_scaling else "unit")
    batches = [7, 7, 4]
    pixels = draw.integers(0, 256, (sum(batches), SIDE, SIDE, 3)).astype(np.uint8)
    labels = draw.integers(0, CLASSES, len(pixels))
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        file = f"model{ending}"
        if ending == ".weights.h5":
            model.save_weights(root / file)
            (root / "model.json").write_text(model.to_json())
        else:
            model.save(root / file)
        if end is not None:
            model = with_new_end(model, *end)
            (root / "head.bin").write_bytes(b"".join(v.numpy().astype(np.float32).tobytes() for v in model.layers[-1].weights))
        (root / "pixels.bin").write_bytes(pixels.tobytes())
        (root / "labels.bin").write_bytes(labels.astype(np.int64).tobytes())
        (root / "case.json").write_text(json.dumps({"file": file, "config": config, "classes": CLASSES, "height": SIDE, "width": SIDE, "all_but_last": all_but_last,
                                                    "batches": batches, "rate": RATE, "head": end is not None}))
        subprocess.run([tool, directory], check=True)
        names = json.loads((root / "names.json").read_text())
        ours = split(root / "out.bin", [("before", (len(pixels), CLASSES)), ("after", (len(pixels), CLASSES))])

        x = preprocessed(pixels, mode, channels)
        freeze(model, all_but_last)
        before = model.predict(x, verbose=0)
        first = train(model, x, labels, batches)
        after = model.predict(x, verbose=0)
        theirs = {name_of(v, model): v.numpy() for v in model.variables if v.name != "count"}
        shapes = [(key, theirs[key].shape) for key, _ in names]
        gradients, last = split(root / "first.bin", shapes), split(root / "last.bin", shapes)
        exported = keras.saving.load_model(root / "exported.h5", compile=False).predict(x, verbose=0)

    worst = [("probabilities before", np.abs(ours["before"] - before).max() / 1e-5), ("probabilities after", np.abs(ours["after"] - after).max() / 1e-5),
             ("the export's probabilities", np.abs(exported - ours["after"]).max() / 1e-5),
             ("the names of what trains", 0 if {key for key, trains in names if trains} == set(first) else np.inf),
             ("the names of what there is", 0 if {key for key, _ in names} == set(theirs) else np.inf)]
    whole = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in first.values()))
    for key, gradient in first.items():
        worst.append((f"the gradient of {key}", np.linalg.norm(gradients[key] - gradient) / max(np.linalg.norm(gradient), 1e-2 * whole) / 1e-4))
    for key, value in theirs.items():
        worst.append((f"{key} at the end", np.abs(last[key] - value).max() / max(1, np.abs(value).max()) / 3e-5))
    moved = np.abs(after - before).max()
    what, error = max(worst, key=lambda item: item[1] if item[1] == item[1] else np.inf)
    good = error <= 1 and moved > 1e-4
    print(f"{'ok  ' if good else 'FAIL'} {name}: worst {error:.2g} of what is allowed ({what}); training moved probabilities by {moved:.2g}", flush=True)
    return good


def main():
    torch.set_num_threads(1)
    keras.utils.set_random_seed(1)
    good = [check(sys.argv[1], number, *case) for number, case in enumerate(cases())]
    print(f"{sum(good)} of {len(good)} models agree with Keras {keras.__version__}")
    sys.exit(0 if all(good) else 1)


main()
