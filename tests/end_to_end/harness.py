"""A tiny BERT, rows that it can learn, and the program run as a user runs it."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["SFT_DIST"]
WORDS = [f"word{i}" for i in range(60)]
LABELS = ["alpha", "beta", "gamma delta"]


def make_model(directory, labels=None, base_class=False, **changes):
    """A random BERT in Hugging Face layout, with a WordPiece tokenizer of its own."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + ["##s", "a", "b", "c"]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", sep_token="[SEP]", pad_token="[PAD]", cls_token="[CLS]", mask_token="[MASK]",
                                   model_input_names=["input_ids", "token_type_ids", "attention_mask"])
    fast.save_pretrained(directory)
    torch.manual_seed(7)
    settings = dict(vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, num_labels=3, max_position_embeddings=64, initializer_range=0.1)
    config = BertConfig(**{**settings, **changes, **({"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}} if labels else {})})
    model = BertModel(config) if base_class else BertForSequenceClassification(config)
    model.save_pretrained(directory)
    return pathlib.Path(directory)


def make_rows(count, seed, pairs=False):
    """The label is said by which third of the words is the most frequent, with some noise."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        label = draw.randrange(3)
        own = WORDS[label * 20:(label + 1) * 20]
        words = [draw.choice(own if draw.random() < 0.7 else WORDS) for _ in range(draw.randint(1, 12))]
        row = {"text": " ".join(words), "label": LABELS[label]}
        if pairs:
            row["second"] = " ".join(draw.choice(own) for _ in range(draw.randint(1, 5)))
        rows.append(row)
    return rows


def write_rows(path, rows):
    pathlib.Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read_rows(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def ranks_of(launcher):
    """The program's processes under a mpirun that lives, in the order of their start."""
    children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(launcher)], capture_output=True, text=True).stdout.split("\n")
    return [int(line.split()[0]) for line in children if "sft-dist" in line]


def end_job(process):
    """Ends a launcher and its ranks, which outlive it where they are stopped."""
    if process.poll() is None:
        for one in [*ranks_of(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()


class Finished:
    """How a run ended: its code (from exit_status where a launcher stands between), output and errors."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class EndToEnd(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="sft-end-to-end-"))
        make_model(cls.shared / "model")
        write_rows(cls.shared / "train.jsonl", make_rows(90, 1))
        write_rows(cls.shared / "validation.jsonl", make_rows(41, 2))
        write_rows(cls.shared / "test.jsonl", make_rows(37, 3))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared)

    def setUp(self):
        self.home = self.shared / self.id().split(".")[-1]
        self.home.mkdir()

    def config(self, name="run", **sections):
        """A config file in this test's folder; sections override or add keys."""
        values = {"": {"output_dir": str(self.home / name)}, "model": {"model_name_or_path": str(self.shared / "model")},
                  "data": {"train_file": str(self.shared / "train.jsonl"), "validation_file": str(self.shared / "validation.jsonl"), "test_file": str(self.shared / "test.jsonl"), "max_length": 32},
                  "train": {"num_train_epochs": 3, "global_batch_size": 8}, "optim": {"learning_rate": 5e-3}, "log": {"logging_steps": 1, "progress": "none"}}
        for section, keys in sections.items():
            values.setdefault("" if section == "top" else section, {}).update(keys)
        text = ""
        for section, keys in values.items():
            text += f"[{section}]\n" if section else ""
            text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items() if value is not None) + "\n"
        path = self.home / f"{name}.toml"
        path.write_text(text)
        return path

    def command(self, *arguments, ranks=1):
        launcher = ["mpirun", "-np", str(ranks), "--oversubscribe"] if ranks > 1 else []
        return launcher + [PROGRAM] + [str(argument) for argument in arguments]

    def run_program(self, *arguments, ranks=1, environment=None, timeout=120):
        process = subprocess.run(self.command(*arguments, ranks=ranks), capture_output=True, text=True, timeout=timeout, env={**os.environ, **(environment or {})})
        return Finished(process.returncode, process.stdout, process.stderr)

    def succeed(self, *arguments, **options):
        done = self.run_program(*arguments, **options)
        self.assertEqual(done.code, 0, done.err)
        return done

    def run_dir(self, name="run"):
        return self.home / name

    def summary(self, name="run"):
        return json.loads((self.run_dir(name) / "summary.json").read_text())

    def lines(self, name="run", key="loss"):
        """{step: value} of the lines of metrics.jsonl that have the key."""
        return {row["step"]: row[key] for row in read_rows(self.run_dir(name) / "metrics.jsonl") if key in row}

    def weights(self, name="run"):
        return (self.run_dir(name) / "model" / "model.safetensors").read_bytes()

    def exit_status(self, name="run"):
        return int((self.run_dir(name) / "exit_status").read_text())

    def signal_at_step(self, config, step, number=signal.SIGUSR2, name="run", ranks=1):
        """Starts a run and sends the signal to its last rank once metrics.jsonl has reached the step."""
        process = subprocess.Popen(self.command(config, ranks=ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "SFT_FAILPOINTS": f"trainer.step=sleep:0.05"})
        deadline = time.time() + 60
        while time.time() < deadline and process.poll() is None:
            path = self.run_dir(name) / "metrics.jsonl"
            if path.exists() and max([row["step"] for row in read_rows(path) if "loss" in row], default=0) >= step:
                break
            time.sleep(0.02)
        target = process.pid if ranks == 1 else self.ranks_of(process.pid)[-1]
        os.kill(target, number)
        out, err = process.communicate(timeout=60)
        return Finished(process.returncode, out, err)

    ranks_of = staticmethod(ranks_of)
