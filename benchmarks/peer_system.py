#!/usr/bin/env python3
"""The peer of one of our runs: transformers' Trainer, torchvision's transforms and a loop over a transformers ResNet or DINOv2, or Keras, on the same rows and settings.

    .deps/venv/bin/python benchmarks/peer_system.py runs/tags/config.toml METRIC

Reads the resolved config that a run has written, so that both have the same files, epochs, batch, rates and seed. One process with all cores; the
metric is scikit-learn's or seqeval's. The last line printed is the metric of the test file.
"""
import itertools
import json
import os
import re
import sys
import tomllib

import numpy as np
import torch


def jsonl(path, count):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines][:count or None]


def conll(path, count):
    with open(path, encoding="utf-8") as file:
        blocks = file.read().strip().split("\n\n")
    return [dict(zip(("tokens", "ner_tags"), zip(*(line.split(" ") for line in block.split("\n"))))) for block in blocks][:count or None]


# The targets of a text task: names of the outputs, a row's label, and what the guesses are worth.

def accuracy(logits, labels, names, config):
    return float(np.mean(logits.argmax(-1) == labels))


def f1_micro(logits, labels, names, config):
    from sklearn.metrics import f1_score
    return f1_score(labels > 0.5, 1 / (1 + np.exp(-logits)) > config["eval"]["threshold"], average="micro", zero_division=0)


def r2(logits, labels, names, config):
    from sklearn.metrics import r2_score
    return r2_score(labels.reshape(-1), logits.reshape(-1))


def entity_f1(logits, labels, names, config):
    from seqeval.metrics import f1_score
    told = [[(names[t], names[g]) for t, g in zip(row, guess) if t >= 0] for row, guess in zip(labels, logits.argmax(-1))]
    return f1_score([[t for t, _ in row] for row in told], [[g for _, g in row] for row in told])


METRICS = {"accuracy": accuracy, "f1_micro": f1_micro, "r2": r2, "f1": entity_f1}


def encode_texts(tokenizer, rows, names, config):
    data, kind = config["data"], config["model"]["problem_type"]
    columns = [[row["text"] for row in rows]]
    if data["text_pair_column"]:
        columns.append([row[data["text_pair_column"]] for row in rows])
    encoded = tokenizer(*columns, truncation=True, max_length=data["max_length"])
    if kind == "multi_label_classification":
        labels = [[float(name in row["label"]) for name in names] for row in rows]
    else:
        labels = [float(row["label"]) if kind == "regression" else names.index(row["label"]) for row in rows]
    return {**encoded, "labels": labels}


def encode_words(tokenizer, rows, names, config):
    encoded = tokenizer([list(row["tokens"]) for row in rows], is_split_into_words=True, truncation=True, max_length=config["data"]["max_length"])
    labels = []
    for at, row in enumerate(rows):
        words = encoded.word_ids(at)
        labels.append([names.index(row["ner_tags"][word]) if word is not None and word != before else -100 for before, word in zip([None, *words], words)])
    return {**encoded, "labels": labels}


def names_of(rows, config):
    if config["model"]["problem_type"] == "regression":
        return ["number"]
    if "ner_tags" in rows[0]:
        return sorted({tag for row in rows for tag in row["ner_tags"]})
    several = config["model"]["problem_type"] == "multi_label_classification"
    return sorted(set(itertools.chain(*(row["label"] for row in rows))) if several else {row["label"] for row in rows})


def freeze(model, blocks, is_head):
    """What freeze.all_but_last trains: the head, the pooler and so many blocks. Below them nothing falls, as in ours."""
    for name, module in model.named_modules():
        at = re.search(r"\.layer\.(\d+)\b", name)
        if isinstance(module, torch.nn.Dropout) and not is_head(name + ".") and "." in name and (at is None or int(at[1]) < model.config.num_hidden_layers - blocks):
            module.p = 0.0
    for name, parameter in model.named_parameters():
        at = re.search(r"\.layer\.(\d+)\.", name)
        parameter.requires_grad = is_head(name) or "pooler" in name or (at is not None and int(at[1]) >= model.config.num_hidden_layers - blocks)


def text(config, metric):
    from datasets import Dataset
    from transformers import (AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, DataCollatorForTokenClassification,
                              DataCollatorWithPadding, Trainer, TrainingArguments)

    data, optim, words = config["data"], config["optim"], config["model"]["task"] == "token_classification"
    read, encode = (conll, encode_words) if words else (jsonl, encode_texts)
    path = config["model"]["model_name_or_path"]
    train, test = read(data["train_file"][0], data["max_train_samples"]), read(data["test_file"][0], data["max_eval_samples"])
    names, tokenizer = names_of(train, config), AutoTokenizer.from_pretrained(path)
    build = AutoModelForTokenClassification if words else AutoModelForSequenceClassification
    torch.manual_seed(config["seed"])
    shape = AutoConfig.from_pretrained(path, num_labels=len(names), problem_type=config["model"]["problem_type"] or None)
    model = build.from_config(shape) if config["model"]["init"] == "random" else build.from_pretrained(path, config=shape)

    warmup = config["scheduler"]["warmup_steps"]
    settings = TrainingArguments(
        output_dir="runs/peer", per_device_train_batch_size=config["train"]["global_batch_size"], num_train_epochs=config["train"]["num_train_epochs"],
        learning_rate=optim["learning_rate"], warmup_steps=warmup, lr_scheduler_type=config["scheduler"]["lr_scheduler_type"],
        max_grad_norm=config["train"]["max_grad_norm"], report_to=[], save_strategy="no", logging_steps=50, use_cpu=True, seed=config["seed"], disable_tqdm=True)
    is_head = lambda name: name.startswith(("classifier.", "pre_classifier.", "head.", "sequence_summary.", "logits_proj."))
    if config["freeze"]["all_but_last"] >= 0:
        freeze(model, config["freeze"]["all_but_last"], is_head)
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [p for n, p in trained if not is_head(n)]},
                                   {"params": [p for n, p in trained if is_head(n)], "lr": optim["learning_rate"] * optim["head_lr_multiplier"]}],
                                  lr=optim["learning_rate"], weight_decay=optim["weight_decay"], fused=True)
    huber = lambda outputs, labels, num_items_in_batch=None: torch.nn.functional.huber_loss(outputs.logits.squeeze(-1), labels.float())
    dataset = lambda rows: Dataset.from_dict(encode(tokenizer, rows, names, config))
    trainer = Trainer(model=model, args=settings, train_dataset=dataset(train), optimizers=(optimizer, None),
                      data_collator=(DataCollatorForTokenClassification if words else DataCollatorWithPadding)(tokenizer),
                      compute_loss_func=huber if config["train"]["loss"] == "huber" else None)
    trainer.train()
    predicted = trainer.predict(dataset(test))
    return METRICS[metric](predicted.predictions, predicted.label_ids, names, config)


def read_images(path, count=None):
    pixels, labels = read_all_images(path)
    return pixels[:count or None], labels[:count or None]


def read_all_images(path):
    if path.endswith(".h5"):
        import h5py
        with h5py.File(path) as file:
            grey = torch.from_numpy(file["pixels"][:])
            return grey[:, None].expand(-1, 3, -1, -1).contiguous(), torch.from_numpy(file["y"][:]).long()
    records = torch.from_numpy(np.fromfile(path, np.uint8).reshape(-1, 3073))
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].long()


def features(model, parts):
    """What the classifier is given for each picture, computed once."""
    given = []
    hook = model.classifier.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0]))
    with torch.no_grad():
        for part in parts:
            model.eval()(part)
    hook.remove()
    return torch.cat(given)


def keras_images(config, metric):
    """With a new Dense in place of the last layer with weights, what pools behind it kept: as output_layer = "new" has it."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from PIL import Image

    data, optim, train = config["data"], config["optim"], config["train"]
    keras.utils.set_random_seed(config["seed"])
    model = keras.saving.load_model(config["model"]["model_name_or_path"], compile=False)
    at = max(i for i, layer in enumerate(model.layers) if layer.weights)
    x = model.layers[at].input
    for layer in model.layers[at + 1:]:
        x = x if isinstance(layer, (keras.layers.Activation, keras.layers.Softmax)) else layer(x)
    side, channels = model.input_shape[1], model.input_shape[3]

    def read(path, count):
        pixels, labels = read_images(path, count)
        pictures = [Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pixels]
        grey = [(picture.convert("L") if channels == 1 else picture).resize((side, side), Image.BILINEAR) for picture in pictures]
        return np.stack([np.asarray(picture, np.float32) for picture in grey]).reshape(-1, side, side, channels) / 127.5 - 1, labels.numpy()

    (pictures, labels), (test, truth) = read(data["train_file"][0], data["max_train_samples"]), read(data["test_file"][0], data["max_eval_samples"])
    model = keras.Model(model.inputs, keras.layers.Dense(int(labels.max()) + 1, activation="softmax")(x))
    for layer in model.layers[:-(config["freeze"]["all_but_last"] + 1)]:
        layer.trainable = False
    model.compile(keras.optimizers.Adam(optim["learning_rate"], epsilon=optim["adam_epsilon"], global_clipnorm=train["max_grad_norm"] or None), "sparse_categorical_crossentropy")
    model.fit(pictures, labels, batch_size=train["global_batch_size"], epochs=int(train["num_train_epochs"]), verbose=0)
    return METRICS[metric](model.predict(test, verbose=0), truth, None, config)


def images(config, metric):
    from torchvision.transforms import v2
    from transformers import AutoConfig, AutoModelForImageClassification

    data, optim, train = config["data"], config["optim"], config["train"]
    torch.manual_seed(config["seed"])
    path = config["model"]["model_name_or_path"]
    shape = AutoConfig.from_pretrained(path)
    mean, std = (data[key] or getattr(shape, f"image_{key}", default) for key, default in (("mean", [0.485, 0.456, 0.406]), ("std", [0.229, 0.224, 0.225])))
    pixels, labels = read_images(data["train_file"][0], data["max_train_samples"])
    test_pixels, test_labels = read_images(data["test_file"][0], data["max_eval_samples"])
    shape.num_labels = int(labels.max()) + 1
    model = AutoModelForImageClassification.from_config(shape) if config["model"]["init"] == "random" else AutoModelForImageClassification.from_pretrained(path, num_labels=shape.num_labels, ignore_mismatched_sizes=True)
    frozen = config["freeze"]["all_but_last"] >= 0
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not frozen or name.startswith("classifier.")

    side = data["image_size"] or pixels.shape[-1]
    resize = [v2.Resize((side, side), antialias=True)] if side != pixels.shape[-1] else []
    normal = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)]
    augment = ([v2.RandomCrop(side, padding=side // 8)] if data["crop"] == "random" else []) + ([v2.RandomHorizontalFlip()] if data["horizontal_flip"] else [])
    seen, looked_at = v2.Compose(resize + augment + normal), v2.Compose(resize + normal)

    batch, epochs = train["global_batch_size"], int(train["num_train_epochs"])
    updates = epochs * -(-len(labels) // batch)
    trained = [p for p in model.parameters() if p.requires_grad]
    if optim["optim"] == "sgd":
        groups = [{"params": [p for p in trained if p.dim() > 1], "weight_decay": optim["weight_decay"]}, {"params": [p for p in trained if p.dim() == 1], "weight_decay": 0.0}]
        optimizer = torch.optim.SGD(groups, optim["learning_rate"], optim["momentum"])
    else:
        optimizer = torch.optim.Adam(trained, optim["learning_rate"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, optim["learning_rate"], total_steps=updates, cycle_momentum=False)
    kept = features(model, [looked_at(part) for part in pixels.split(64)]) if config["freeze"]["cache"] != "none" else None
    for _ in range(epochs):
        model.train(not frozen)
        for rows in torch.randperm(len(labels)).split(batch):
            optimizer.zero_grad()
            logits = model(torch.stack([seen(image) for image in pixels[rows]])).logits if kept is None else model.classifier(kept[rows])
            torch.nn.functional.cross_entropy(logits, labels[rows]).backward()
            torch.nn.utils.clip_grad_norm_(trained, config["train"]["max_grad_norm"] or float("inf"))
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(looked_at(part)).logits for part in test_pixels.split(256)])
    return METRICS[metric](logits.numpy(), test_labels.numpy(), None, config)


def main():
    path, metric = sys.argv[1:]
    with open(path, "rb") as file:
        config = tomllib.load(file)
    if config["model"]["task"] != "image_classification":
        side = text
    else:
        side = keras_images if os.path.isfile(config["model"]["model_name_or_path"]) else images
    print(side(config, metric))


if __name__ == "__main__":
    main()
