"""export --onnx: the graph is what onnx allows, and in ONNX Runtime it gives the logits of transformers and of our own predict, on batches of any shape."""
import json
import pathlib
import unittest

import numpy as np
import test_encoders
import test_token_classification as tags
from harness import LABELS, EndToEnd, make_model, make_rows, read_rows, write_rows
from test_families import make_family

FAMILIES = ("bert", "distilbert", "roberta", "xlm-roberta", "camembert", "electra", "albert", "modernbert")
MOST = 1e-5  # of the largest logit: float32 in another order


def make_fine_tuned(family, directory, ending="ForSequenceClassification", dtype="float32", **changes):
    """A model of transformers' class with that ending, in which no number is one that a forgotten layer would not miss: biases and norms are drawn too."""
    import torch
    import transformers

    if family == "bert":
        make_model(directory)
    else:
        (make_family if family in ("distilbert", "roberta", "xlm-roberta", "camembert") else test_encoders.make_encoder)(family, directory)
    labels = [f"B-{name}" for name in "xy"] + ["O"] if ending == "ForTokenClassification" else LABELS
    named = {"num_labels": 2} if ending == "ForQuestionAnswering" else {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}
    config = transformers.AutoConfig.from_pretrained(directory, **{**named, **changes})
    torch.manual_seed(11)
    model = getattr(transformers, "AutoModel" + ending).from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.to(getattr(torch, dtype)).save_pretrained(directory)
    return pathlib.Path(directory)


class Onnx(EndToEnd):
    def export(self, source, name="graph", *more):
        import onnx

        self.succeed("export", source, *more, "--onnx", self.home / name)
        onnx.checker.check_model(str(self.home / name / "model.onnx"), full_check=True)
        return self.home / name

    def session(self, directory):
        import onnxruntime

        return onnxruntime.InferenceSession(str(directory / "model.onnx"), providers=["CPUExecutionProvider"])

    def run_graph(self, directory, encoded):
        """{output: values} of what a tokenizer gave."""
        session = self.session(directory)
        names = [given.name for given in session.get_inputs()]
        return dict(zip([made.name for made in session.get_outputs()], session.run(None, {name: np.asarray(encoded[name], np.int64) for name in names})))

    def batches(self, directory, rows, pair=None, max_length=40):
        """Padded batches of two shapes."""
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(directory)
        for part in (rows[:7], rows[7:12] + sorted(rows, key=lambda row: len(row["text"]))[-3:]):
            texts = [[row["text"] for row in part]] + ([[row[pair] for row in part]] if pair else [])
            yield tokenizer(*texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")

    def transformers_outputs(self, directory, ending, encoded):
        import torch
        import transformers

        model = getattr(transformers, "AutoModel" + ending).from_pretrained(directory, dtype=torch.float32).eval()
        with torch.no_grad():
            return {name: value.numpy() for name, value in model(**encoded).items()}

    def assert_close(self, ours, theirs, mask=None):
        """Of tokens, of those that are no padding."""
        self.assertEqual(ours.shape, theirs.shape)
        if mask is not None:
            ours, theirs = ours[np.asarray(mask) == 1], theirs[np.asarray(mask) == 1]
        self.assertLess(np.abs(ours - theirs).max() / np.abs(theirs).max(), MOST)
        self.assertGreater(np.ptp(theirs.reshape(len(theirs), -1), axis=0).max(), 1e-2, "the rows differ, or nothing is compared")

    def compare(self, source, graph, ending="ForSequenceClassification", pair=None):
        rows, shapes = make_rows(25, 3, pairs=pair is not None), set()
        for encoded in self.batches(graph, rows, pair):
            ours, theirs = self.run_graph(graph, encoded), self.transformers_outputs(source, ending, encoded)
            for name, values in ours.items():
                self.assert_close(values, theirs[name], None if ending == "ForSequenceClassification" else encoded["attention_mask"])
            shapes.add(tuple(encoded["input_ids"].shape))
        self.assertEqual(len(shapes), 2)
        return ours

    def compare_with_predict(self, source, graph, rows, pair=None):
        write_rows(self.home / "rows.jsonl", rows)
        columns = ["--text-pair-column", pair] if pair else []
        self.succeed("predict", source, "--input", self.home / "rows.jsonl", "--output", self.home / "out.jsonl", "--logits", *columns)
        ours = [row["logits"] for row in read_rows(self.home / "out.jsonl")]
        for encoded, start in zip(self.batches(graph, rows, pair), (0, 7)):
            values = self.run_graph(graph, encoded)["logits"]
            expected = np.asarray((ours[start:start + 7] if start == 0 else ours[7:12]), np.float32)
            self.assert_close(values[:len(expected)], expected)

    def test_classes_of_texts_of_every_family(self):
        for family in FAMILIES:
            source = make_fine_tuned(family, self.home / family)
            graph = self.export(source, f"graph_{family}")
            self.compare(source, graph)
            self.compare_with_predict(source, graph, make_rows(12, 5))
            inputs = {given.name: given.shape for given in self.session(graph).get_inputs()}
            self.assertEqual("token_type_ids" in inputs, family in ("bert", "electra", "albert"))
            self.assertEqual(inputs["input_ids"], ["batch_size", "sequence_length"])
            self.assertEqual([(made.name, made.shape) for made in self.session(graph).get_outputs()], [("logits", ["batch_size", 3])])

    def test_pairs(self):
        for family in ("bert", "roberta", "albert"):
            source = make_fine_tuned(family, self.home / family)
            graph = self.export(source, f"graph_{family}")
            self.compare(source, graph, pair="second")
            self.compare_with_predict(source, graph, make_rows(12, 5, pairs=True), pair="second")

    def test_tags_of_words_of_every_family(self):
        for family in FAMILIES:
            source = make_fine_tuned(family, self.home / family, "ForTokenClassification")
            made = self.compare(source, self.export(source, f"graph_{family}"), "ForTokenClassification")
            self.assertEqual(made["logits"].ndim, 3)

    def test_answers_to_questions(self):
        for family in ("bert", "distilbert", "roberta", "modernbert"):
            source = make_fine_tuned(family, self.home / family, "ForQuestionAnswering")
            made = self.compare(source, self.export(source, f"graph_{family}"), "ForQuestionAnswering", pair="second")
            self.assertEqual(list(made), ["start_logits", "end_logits"])

    def test_activations(self):
        for name in ("gelu_new", "gelu_fast", "relu", "silu", "quick_gelu", "mish", "tanh", "sigmoid"):
            source = make_fine_tuned("bert", self.home / name, hidden_act=name)
            self.compare(source, self.export(source, f"graph_{name}"))

    def test_other_poolings_and_windows(self):
        for pooling in ("cls", "mean"):
            source = make_fine_tuned("modernbert", self.home / f"modern_{pooling}", classifier_pooling=pooling, norm_bias=True, mlp_bias=True, attention_bias=True, classifier_bias=True)
            self.compare(source, self.export(source, f"graph_modern_{pooling}"))
            source = make_fine_tuned("bert", self.home / pooling)
            config = json.loads((source / "config.json").read_text())
            (source / "config.json").write_text(json.dumps({**config, "sft_dist_pooling": pooling}))
            self.compare_with_predict(source, self.export(source, f"graph_{pooling}"), make_rows(12, 5))

    def test_texts_that_spell_padding_out(self):
        source = make_fine_tuned("roberta", self.home / "roberta")
        graph, rows = self.export(source), make_rows(12, 5)
        for row in rows[::2]:
            row["text"] = "<pad> " + row["text"].replace(" ", " <pad> ", 1)
        self.compare_with_predict(source, graph, rows)

    def anew(self, **more):
        """Of [model]: another number of outputs than the shared model has."""
        return {"model_name_or_path": str(self.shared / "model"), "ignore_mismatched_sizes": True, **more}

    def test_a_run_with_its_labels_thresholds_and_temperature(self):
        config = self.config(train={"num_train_epochs": 4}, eval={"temperature_scaling": True})
        self.succeed(config)
        graph = self.export(self.run_dir(), "graph", "--checkpoint", "model")
        said = json.loads((graph / "config.json").read_text())
        self.assertEqual([said["id2label"][str(i)] for i in range(3)], LABELS)
        rows = read_rows(self.shared / "test.jsonl")
        for encoded, start in zip(self.batches(graph, rows, max_length=32), (0, 7)):
            logits = self.run_graph(graph, encoded)["logits"].astype(float)
            shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
            for share, told in zip(shares, read_rows(self.run_dir() / "predictions.jsonl")[start:start + 5]):
                self.assertEqual(LABELS[share.argmax()], told["label"])
                for name, score in zip(LABELS, share):
                    self.assertAlmostEqual(told["scores"][name], score, delta=1e-5)
        self.assertEqual(sorted(path.name for path in graph.iterdir()), sorted(["README.md", "config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json", ".sft-dist"]))
        self.assertIn("library_name: optimum", (graph / "README.md").read_text())
        sets = [{"text": row["text"], "label": [row["label"]] + (["delta"] if "word1" in row["text"] else [])} for row in make_rows(90, 1)]
        write_rows(self.home / "sets.jsonl", sets)
        files = {f"{part}_file": str(self.home / "sets.jsonl") for part in ("train", "validation", "test")}
        self.succeed(self.config("sets", model=self.anew(), data=files, eval={"tune_thresholds": "f1"}))
        graph = self.export(self.run_dir("sets"), "graph_sets", "--checkpoint", "model")
        exported = json.loads((graph / "config.json").read_text())
        self.assertEqual(exported["sft_dist_thresholds"], json.loads((self.run_dir("sets") / "model/config.json").read_text())["sft_dist_thresholds"])
        self.compare_with_predict(self.run_dir("sets"), graph, make_rows(12, 5))

    def test_numbers(self):
        rows = [{"text": row["text"], "label": len(row["text"]) / 40 - 1} for row in make_rows(60, 1)]
        write_rows(self.home / "numbers.jsonl", rows)
        self.succeed(self.config(model=self.anew(), data={f"{part}_file": str(self.home / "numbers.jsonl") for part in ("train", "validation", "test")}))
        graph = self.export(self.run_dir())
        self.compare_with_predict(self.run_dir() / "model", graph, make_rows(12, 5))
        self.assertEqual([made.shape for made in self.session(graph).get_outputs()], [["batch_size", 1]])

    def test_a_run_that_tags_words(self):
        files = {}
        for part, count in (("train", 90), ("validation", 23), ("test", 31)):
            files[f"{part}_file"] = str(self.home / f"{part}.jsonl")
            write_rows(files[f"{part}_file"], tags.make_tagged(count, len(part)))
        self.succeed(self.config(model=self.anew(task="token_classification"), data={**files, "max_length": 60}))
        graph = self.export(self.run_dir())
        self.compare(self.run_dir() / "model", graph, "ForTokenClassification")

    def test_adapters_are_merged(self):
        self.succeed(self.config(lora={"r": 4, "lora_alpha": 16}, train={"max_steps": 9}, optim={"learning_rate": 5e-2}))
        for source in (self.run_dir(), self.run_dir() / "adapter"):
            graph = self.export(source, f"graph_{source.name}")
            self.compare(self.run_dir() / "model", graph)
            self.compare_with_predict(self.run_dir() / "adapter", graph, make_rows(12, 5))

    def test_weights_in_a_file_of_their_own_and_narrow_ones_widened(self):
        import onnx

        source = make_fine_tuned("bert", self.home / "narrow", dtype="bfloat16")
        graph = self.export(source)
        self.assertEqual(json.loads((graph / "config.json").read_text())["dtype"], "float32")
        self.compare(source, graph)
        self.succeed(self.config(train={"max_steps": 3}, save={"max_shard_bytes": 20000}))
        apart, whole = self.export(self.run_dir(), "apart"), self.export(self.run_dir() / "model", "whole")
        self.assertFalse((whole / "model.onnx_data").exists())
        self.assertLess((apart / "model.onnx").stat().st_size, (whole / "model.onnx").stat().st_size / 2)
        of = {name: {tensor.name: onnx.numpy_helper.to_array(tensor).tobytes() for tensor in onnx.load(path / "model.onnx").graph.initializer} for name, path in (("apart", apart), ("whole", whole))}
        self.assertEqual(of["apart"], of["whole"])
        self.compare(self.run_dir() / "model", apart)

    def test_both_forms_at_once(self):
        source = make_fine_tuned("bert", self.home / "bert")
        graph = self.export(source, "graph", "--output", self.home / "plain")
        self.compare(self.home / "plain", graph)
        self.assertFalse((graph / "model.safetensors").exists())

    def refused(self, *arguments, code=78, words=(), environment=None):
        before = sorted(self.home.iterdir())
        done = self.run_program("export", *arguments, environment=environment)
        self.assertEqual(done.code, code, done.err)
        for word in words:
            self.assertIn(word, done.err)
        self.assertEqual(sorted(self.home.iterdir()), before, "nothing is left behind")

    def test_what_has_no_graph_is_refused_by_name(self):
        import torch
        from transformers import LlamaConfig, LlamaForSequenceClassification

        families = ", ".join(sorted((*FAMILIES, "dinov2", "resnet", "vit")))
        self.refused(make_fine_tuned("deberta", self.home / "deberta"), "--onnx", self.home / "graph", "--output", self.home / "plain", words=["model_type 'deberta-v2' is not exported as ONNX", families])
        llama = make_model(self.home / "llama")
        torch.manual_seed(1)
        LlamaForSequenceClassification(LlamaConfig(vocab_size=69, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4, pad_token_id=0, num_labels=3)).save_pretrained(llama)
        self.refused(llama, "--onnx", self.home / "graph", words=["model_type 'llama' is not exported as ONNX", families])

    def test_outputs_that_are_refused(self):
        source = make_fine_tuned("bert", self.home / "bert")
        (self.home / "there").mkdir()
        (self.home / "there" / "notes").write_text("mine")
        self.refused(source, "--onnx", self.home / "there", words=["--onnx", "exists already; nothing is overwritten"])
        self.refused(source, "--onnx", self.home / "model.onnx", words=["wanted a directory to make"])
        self.refused(source, "--onnx", self.home / "one", "--output", f"{self.home}/one/", words=["name one directory"])
        self.refused(source, "--output", self.home / "one", "--onnx", self.home / "one" / "onnx", words=["one in the other"])
        self.refused(source, code=2, words=["--output", "--onnx"])
        self.assertEqual((self.home / "there" / "notes").read_text(), "mine")

    def test_an_export_that_is_killed_leaves_no_directory(self):
        source = make_fine_tuned("bert", self.home / "bert")
        done = self.run_program("export", source, "--onnx", self.home / "graph", environment={"SFT_FAILPOINTS": "onnx.tensor@9=kill"})
        self.assertNotEqual(done.code, 0)
        self.assertFalse((self.home / "graph").exists())
        self.compare(source, self.export(source))
        self.assertEqual([path.name for path in self.home.iterdir() if "graph" in path.name], ["graph"], "the half one is gone")


if __name__ == "__main__":
    unittest.main()
