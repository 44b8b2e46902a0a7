#!/usr/bin/env python3
"""The peer of one of our runs: transformers' Trainer, or torchvision's transforms and a loop over a transformers ResNet, on the same rows and settings.

    .deps/venv/bin/python benchmarks/peer_system.py runs/tags/config.toml METRIC

Reads the resolved config that a run has written, so that both have the same files, epochs, batch, rates and seed. One process with all cores; the
metric is scikit-learn's or seqeval's. The last line printed is the metric of the test file.
"""
import itertools
import json
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


def text(config, metric):
    from datasets import Dataset
    from transformers import (AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, DataCollatorForTokenClassification,
                              DataCollatorWithPadding, Trainer, TrainingArguments)

    data, optim, words = config["data"], config["optim"], config["model"]["task"] == "token_classification"
    read, encode = (conll, encode_words) if words else (jsonl, encode_texts)
    path = config["model"]["model_name_or_path"]
    train, test = read(data["train_file"][0], data["max_train_samples"]), read(data["test_file"][0], data["max_eval_samples"])
    names, tokenizer = names_of(train, config), AutoTokenizer.from_pretrained(path)
    build = AutoModelForTokenClassification if words else AutoModelForSequenceClassification
    torch.manual_seed(config["seed"])
    model = build.from_pretrained(path, num_labels=len(names), problem_type=config["model"]["problem_type"] or None)

    warmup = config["scheduler"]["warmup_steps"]
    settings = TrainingArguments(
        output_dir="runs/peer", per_device_train_batch_size=config["train"]["global_batch_size"], num_train_epochs=config["train"]["num_train_epochs"],
        learning_rate=optim["learning_rate"], warmup_steps=warmup, lr_scheduler_type=config["scheduler"]["lr_scheduler_type"],
        max_grad_norm=config["train"]["max_grad_norm"], report_to=[], save_strategy="no", logging_steps=50, use_cpu=True, seed=config["seed"], disable_tqdm=True)
    is_head = lambda name: name.startswith(("classifier.", "pre_classifier."))
    optimizer = torch.optim.AdamW([{"params": [p for n, p in model.named_parameters() if not is_head(n)]},
                                   {"params": [p for n, p in model.named_parameters() if is_head(n)], "lr": optim["learning_rate"] * optim["head_lr_multiplier"]}],
                                  lr=optim["learning_rate"], weight_decay=optim["weight_decay"], fused=True)
    huber = lambda outputs, labels, num_items_in_batch=None: torch.nn.functional.huber_loss(outputs.logits.squeeze(-1), labels.float())
    dataset = lambda rows: Dataset.from_dict(encode(tokenizer, rows, names, config))
    trainer = Trainer(model=model, args=settings, train_dataset=dataset(train), optimizers=(optimizer, None),
                      data_collator=(DataCollatorForTokenClassification if words else DataCollatorWithPadding)(tokenizer),
                      compute_loss_func=huber if config["train"]["loss"] == "huber" else None)
    trainer.train()
    predicted = trainer.predict(dataset(test))
    return METRICS[metric](predicted.predictions, predicted.label_ids, names, config)


def read_images(path):
    if path.endswith(".h5"):
        import h5py
        with h5py.File(path) as file:
            grey = torch.from_numpy(file["pixels"][:])
            return grey[:, None].expand(-1, 3, -1, -1).contiguous(), torch.from_numpy(file["y"][:]).long()
    records = torch.from_numpy(np.fromfile(path, np.uint8).reshape(-1, 3073))
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].long()


def images(config, metric):
    from torchvision.transforms import v2
    from transformers import ResNetConfig, ResNetForImageClassification

    data, optim, train = config["data"], config["optim"], config["train"]
    torch.manual_seed(config["seed"])
    path = config["model"]["model_name_or_path"]
    shape = ResNetConfig.from_pretrained(path)
    mean, std = (data[key] or getattr(shape, f"image_{key}", default) for key, default in (("mean", [0.485, 0.456, 0.406]), ("std", [0.229, 0.224, 0.225])))
    pixels, labels = read_images(data["train_file"][0])
    test_pixels, test_labels = read_images(data["test_file"][0])
    shape.num_labels = int(labels.max()) + 1
    model = ResNetForImageClassification(shape) if config["model"]["init"] == "random" else ResNetForImageClassification.from_pretrained(path, num_labels=shape.num_labels, ignore_mismatched_sizes=True)
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
    for _ in range(epochs):
        model.train(not frozen)
        for rows in torch.randperm(len(labels)).split(batch):
            inputs = torch.stack([seen(image) for image in pixels[rows]])
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs).logits, labels[rows]).backward()
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
    print((images if config["model"]["task"] == "image_classification" else text)(config, metric))


if __name__ == "__main__":
    main()
