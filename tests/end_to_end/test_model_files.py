"""Models as others have them: files of torch.save, torchvision's names, large files that were not fetched, and what is said where there is no model."""
import json
import shutil
import unittest

from harness import EndToEnd, make_model, read_rows
from test_images import CLASSES, make_images


class ModelFiles(EndToEnd):
    def as_torch_saves(self, name, shards=1, **options):
        """A copy of the model whose weights torch.save wrote."""
        import safetensors.torch
        import torch

        model = self.home / name
        shutil.copytree(self.shared / "model", model)
        weights = safetensors.torch.load_file(model / "model.safetensors")
        (model / "model.safetensors").unlink()
        if shards == 1:
            torch.save(weights, model / "pytorch_model.bin", **options)
        else:
            files = [f"pytorch_model-{i + 1:05}-of-{shards:05}.bin" for i in range(shards)]
            places = {key: files[i % shards] for i, key in enumerate(weights)}
            for file in files:
                torch.save({key: weights[key] for key in weights if places[key] == file}, model / file, **options)
            (model / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
        return model

    def test_predictions_training_and_exports_are_those_of_the_safetensors(self):
        models = {"safetensors": self.shared / "model", "zip": self.as_torch_saves("zip"), "older": self.as_torch_saves("older", _use_new_zipfile_serialization=False),
                  "several": self.as_torch_saves("several", shards=3)}
        for name, model in models.items():
            self.succeed("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / f"{name}.jsonl")
            self.succeed(self.config(f"run-{name}", model={"model_name_or_path": str(model)}, freeze={"all_but_last": 1}, train={"max_steps": 3}), ranks=2 if name == "older" else 1)
        for name in models:
            self.assertEqual((self.home / f"{name}.jsonl").read_bytes(), (self.home / "safetensors.jsonl").read_bytes(), name)
        kept = [(self.run_dir(f"run-{name}") / "model/model.safetensors").read_bytes() for name in ("safetensors", "zip", "several")]
        self.assertEqual(kept[0], kept[1])
        self.assertEqual(kept[0], kept[2])
        listed = self.succeed("inspect", models["zip"]).out
        self.assertIn("bert.pooler.dense.bias", listed)
        self.assertEqual(sorted(listed.splitlines()), sorted(self.succeed("inspect", models["older"] / "pytorch_model.bin").out.splitlines()))

    def test_two_classes_that_config_json_leaves_out_are_the_rows_of_the_head(self):
        from transformers import pipeline

        model = make_model(self.home / "two", num_labels=2)
        config = json.loads((model / "config.json").read_text())
        self.assertFalse({"id2label", "num_labels"} & set(config), "transformers leaves out what is its default")
        rows = read_rows(self.shared / "test.jsonl")[:5]
        self.succeed("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / "out.jsonl")
        classify = pipeline("text-classification", model=str(model), tokenizer=str(model), top_k=None)
        for row, ours in zip(rows, read_rows(self.home / "out.jsonl")):
            for theirs in classify([row["text"]])[0]:
                self.assertAlmostEqual(ours["scores"][theirs["label"]], theirs["score"], places=5)
            self.assertEqual(list(ours["scores"]), ["LABEL_0", "LABEL_1"])
        bare = make_model(self.home / "bare", base_class=True, num_labels=2)
        done = self.run_program("predict", bare, "--input", self.shared / "test.jsonl", "--output", self.home / "none.jsonl")
        self.assertEqual(done.code, 79, done.err)
        self.assertIn("has no id2label", done.err)

    def changed(self, name, change):
        """A copy of the run's model whose tensors, by name, were changed."""
        import safetensors.torch

        model = shutil.copytree(self.shared / "model", self.home / name)
        weights = safetensors.torch.load_file(model / "model.safetensors")
        change(weights)
        safetensors.torch.save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
        return model

    def test_inspect_verifies_a_model(self):
        import torch

        def refused(model, *told):
            done = self.run_program("inspect", model, "--verify")
            self.assertEqual(done.code, 79, done.err + done.out)
            for words in told:
                self.assertIn(words, done.err)

        told = self.succeed("inspect", self.shared / "model", "--verify", ranks=2).out
        for line in ("weights: 41 tensors in 1 file", "all finite", "checksums: none stand beside these files", "shapes: of a model for text_classification, as config.json says", "tokenizer: 69 ids, and the model has 69 embeddings"):
            self.assertEqual(told.count(line), 1, told)
        self.assertIn("all finite", self.succeed("inspect", self.as_torch_saves("several", shards=3), "--verify").out)
        query = "bert.encoder.layer.1.attention.self.query.weight"
        refused(self.changed("nan", lambda w: w[query].view(-1).__setitem__(5, float("nan"))), "model.safetensors", query, "element 5, is NaN")
        refused(self.changed("shape", lambda w: w.update({query: torch.zeros(32, 16)})), query, "[32, 16] in the file, [32, 32] in the model")
        refused(self.changed("lacks", lambda w: w.pop(query)), query, "lack 1 tensors")
        self.assertIn("not judged, as no task here reads them: more.weight", self.succeed("inspect", self.changed("more", lambda w: w.update({"more.weight": torch.zeros(2)})), "--verify").out)
        several = self.as_torch_saves("unnamed", shards=2)
        index = several / "pytorch_model.bin.index.json"
        content = json.loads(index.read_text())
        place = content["weight_map"].pop(query)
        index.write_text(json.dumps(content))
        refused(several, place, f"the index does not name tensor '{query}'")
        small = self.changed("small", lambda w: w.update({"bert.embeddings.word_embeddings.weight": w["bert.embeddings.word_embeddings.weight"][:60].clone()}))
        config = json.loads((small / "config.json").read_text())
        (small / "config.json").write_text(json.dumps({**config, "vocab_size": 60}))
        refused(small, "the tokenizer gives ids up to 68, and the model has 60 embeddings")
        other = shutil.copytree(self.shared / "model", self.home / "other")
        (other / "config.json").write_text(json.dumps({**config, "model_type": "gpt_neox"}))
        self.assertIn('not judged, as config.json\'s model_type "gpt_neox" is not built here', self.succeed("inspect", other, "--verify").out)

    def test_labels_of_one_name_are_told_apart(self):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        model = make_model(self.home / "birds", num_labels=4, id2label={0: "crane", 1: "dog", 2: "crane", 3: "crane (2)"}, label2id={"crane": 2, "dog": 1, "crane (2)": 3})
        done = self.succeed("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / "out.jsonl")
        self.assertIn("several labels have one name; those behind the first are called 'crane (3)' here", done.err)
        net, tokenizer, names = AutoModelForSequenceClassification.from_pretrained(model).eval(), AutoTokenizer.from_pretrained(model), ["crane", "dog", "crane (3)", "crane (2)"]
        for row, ours in zip(read_rows(self.shared / "test.jsonl")[:5], read_rows(self.home / "out.jsonl")):
            with torch.no_grad():
                theirs = torch.softmax(net(**tokenizer(row["text"], return_tensors="pt")).logits[0].double(), -1).tolist()
            self.assertEqual(list(ours["scores"]), names)
            for name, score in zip(names, theirs):
                self.assertAlmostEqual(ours["scores"][name], score, places=5)
            self.assertEqual(ours["label"], names[theirs.index(max(theirs))])
        self.succeed("export", model, "--output", self.home / "exported")
        config = json.loads((self.home / "exported/config.json").read_text())
        self.assertEqual(config["id2label"], {str(i): name for i, name in enumerate(names)})
        self.assertEqual(config["label2id"], {name: i for i, name in enumerate(names)})

    def test_inspect_verifies_what_a_run_exported(self):
        self.succeed(self.config(train={"max_steps": 2}, data={"test_file": None}))
        for target in (self.run_dir(), self.run_dir() / "model"):
            told = self.succeed("inspect", target, "--verify").out
            self.assertRegex(told, r"checksums: \d+ files as this program exported them")
        (self.run_dir() / "model/README.md").write_text("mine")
        self.assertIn("changed since the export: README.md", self.succeed("inspect", self.run_dir() / "model", "--verify").out)
        weights = self.run_dir() / "model/model.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        for target in (self.run_dir(), self.run_dir() / "model"):
            done = self.run_program("inspect", target, "--verify")
            self.assertEqual(done.code, 79, done.err)
            self.assertIn("model/model.safetensors is not as it was exported", done.err)

    def test_a_config_that_is_not_json_says_where(self):
        model = shutil.copytree(self.shared / "model", self.home / "odd")
        whole = (model / "config.json").read_text()
        for text, told in ((whole.replace("1e-12", "NaN"), r"odd/config.json is not JSON: line \d+: layer_norm_eps is NaN, which Python writes and JSON does not have; write the number that is meant there, or null"),
                           (whole.replace("1e-12", "-Infinity"), "layer_norm_eps is -Infinity"), (whole.replace("{", '{"x": [1.0, Infinity],', 1), "line 1: x is Infinity"), (whole[:-4], "is not JSON: line"), (whole.replace("1e-12", "1e999"), "number overflow")):
            (model / "config.json").write_text(text)
            for command in (("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl"), (self.config(model={"model_name_or_path": str(model)}),), ("inspect", model, "--verify")):
                done = self.run_program(*command)
                self.assertEqual(done.code, 79, done.err)
                self.assertRegex(done.err, told)
        (model / "config.json").write_text(whole)
        (model / "tokenizer_config.json").write_text('{"model_max_length": NaN}')
        done = self.run_program("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl")
        self.assertEqual(done.code, 79, done.err)
        self.assertIn("tokenizer_config.json is not JSON: line 1: model_max_length is NaN", done.err)

    def test_a_file_of_torchvision(self):
        import numpy as np
        import torch
        from PIL import Image
        from torchvision.models import resnet18

        model = self.home / "resnet18"
        model.mkdir()
        torch.manual_seed(3)
        net = resnet18(num_classes=3).eval()
        torch.save(net.state_dict(), model / "resnet18-0a1b2c3d.pth")
        failed = self.run_program("predict", model, "--input", self.home, "--output", self.home / "p.jsonl")
        self.assertEqual(failed.code, 78, failed.err)
        settings = failed.err[failed.err.index('{"model_type"'):]
        settings = json.loads(settings[:settings.index("}") + 1])
        (model / "config.json").write_text(json.dumps({**settings, "id2label": dict(enumerate(CLASSES))}))
        images = make_images(self.home / "images", 6, 1)
        self.succeed("predict", model, "--input", images, "--output", self.home / "p.jsonl")
        for row in read_rows(self.home / "p.jsonl"):
            pixels = torch.tensor(np.asarray(Image.open(row["image"]).convert("RGB"))).permute(2, 0, 1)[None] / 255
            with torch.no_grad():
                wanted = net((pixels - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)).softmax(-1)[0]
            self.assertLess(max(abs(row["scores"][name] - wanted[i].item()) for i, name in enumerate(CLASSES)), 1e-5)

    def test_a_large_file_that_was_not_fetched_is_called_that(self):
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 440473133\n"
        for name in ("model.safetensors", "tokenizer.json", "train.jsonl"):
            place = self.home / name.replace(".", "-")
            shutil.copytree(self.shared / "model", place)
            (place / name).write_text(pointer)
            sections = {"data": {"train_file": str(place / name)}} if name == "train.jsonl" else {"model": {"model_name_or_path": str(place)}}
            failed = self.run_program(self.config(place.name, **sections))
            self.assertEqual(failed.code, 79, failed.err)
            for word in (name, "Git LFS pointer", "git lfs pull"):
                self.assertIn(word, failed.err)

    def test_what_brings_a_model_that_is_not_there(self):
        empty = self.home / "empty"
        empty.mkdir()
        cases = {"google-bert/bert-base-uncased": "`hf download google-bert/bert-base-uncased`", "bert-tiny": "`hf download bert-tiny`", str(empty): f"--local-dir {empty}`"}
        for name, wanted in cases.items():
            failed = self.run_program(self.config(model={"model_name_or_path": name}))
            self.assertEqual(failed.code, 78, failed.err)
            self.assertIn(wanted, failed.err)
        failed = self.run_program(self.config(model={"model_name_or_path": "./nowhere/at/all"}))
        self.assertEqual(failed.code, 78, failed.err)
        self.assertNotIn("hf download", failed.err)
        make_model(empty)
        (empty / "model.safetensors").unlink()
        failed = self.run_program(self.config(model={"model_name_or_path": str(empty)}))
        self.assertEqual(failed.code, 78, failed.err)
        self.assertIn(f"`hf download ORGANISATION/MODEL --local-dir {empty}`", failed.err)

    def test_inspect_tells_what_it_cannot_judge_and_keeps_what_it_has_found(self):
        base = shutil.copytree(self.shared / "model", self.home / "base")
        self.succeed(self.config(model={"model_name_or_path": str(base)}, lora={"r": 2, "lora_alpha": 4},
                                 train={"max_steps": 2}, save={"save_strategy": "steps", "save_steps": 2},
                                 data={"test_file": None}))
        shutil.move(base, self.home / "moved")
        for ranks in (1, 2):
            told = self.succeed("inspect", self.run_dir(), "--verify", ranks=ranks).out
            for words in ("every file matches its checksum", "files as this program exported them"):
                self.assertIn(words, told)
            self.assertEqual(told.count("shapes and tokenizer: not judged, as model.model_name_or_path"), 1, told)
            self.assertIn("no such directory", told)
        weights = self.run_dir() / "adapter/adapter_model.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        for ranks in (1, 2):
            done = self.run_program("inspect", self.run_dir(), "--verify", ranks=ranks)
            self.assertEqual(done.code, 79, done.err)
            self.assertIn("adapter_model.safetensors is not as it was exported", done.err)
            self.assertIn("every file matches its checksum", done.out)

        mute = shutil.copytree(self.shared / "model", self.home / "mute")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (mute / name).unlink()
        refused = shutil.copytree(self.shared / "model", self.home / "refused")
        config = json.loads((refused / "config.json").read_text())
        (refused / "config.json").write_text(json.dumps({**config, "position_embedding_type": "relative_key"}))
        for model, why in ((mute, ""), (refused, "config.json: position_embedding_type must be")):
            for ranks in (1, 2):
                told = self.succeed("inspect", model, "--verify", ranks=ranks).out
                for line in ("weights: 41 tensors in 1 file", f"shapes and tokenizer: not judged, as {why}"):
                    self.assertEqual(told.count(line), 1, told)

    def test_inspect_reads_adapters_in_either_format_whether_they_are_built_or_not(self):
        import safetensors.torch
        import torch

        settings = {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "nobody/has-this",
                    "r": 2, "lora_alpha": 4}
        module = "base_model.model.bert.encoder.layer.0.attention.self.query"
        tensors = {f"{module}.lora_A.weight": torch.ones(2, 32), f"{module}.lora_B.weight": torch.ones(32, 2)}
        formats = {"adapter_model.safetensors": safetensors.torch.save_file, "adapter_model.bin": torch.save}
        for name, save in formats.items():
            adapter = self.home / name.replace(".", "-")
            adapter.mkdir()
            for change, why in (({}, "'nobody/has-this'"), ({"use_dora": True}, "use_dora")):
                (adapter / "adapter_config.json").write_text(json.dumps({**settings, **change}))
                save(tensors, adapter / name)
                self.assertIn(f"{module}.lora_B.weight", self.succeed("inspect", adapter).out)
                told = self.succeed("inspect", adapter, "--verify").out
                self.assertEqual(told.count("finite"), 1, told)
                self.assertIn("weights: 2 tensors", told)
                self.assertRegex(told, f"shapes and tokenizer: not judged, as .*{why}")
                save({**tensors, f"{module}.lora_B.weight": torch.full((32, 2), float("nan"))}, adapter / name)
                done = self.run_program("inspect", adapter, "--verify")
                self.assertEqual(done.code, 79, done.err)
                self.assertRegex(done.err, f"{name}: .*lora_B.*is NaN")

    def test_inspect_lists_a_keras_file_beside_a_config(self):
        import h5py

        model = shutil.copytree(self.shared / "model", self.home / "keras")
        (model / "model.safetensors").unlink()
        with h5py.File(model / "tf_model.h5", "w") as file:
            file["kernel"] = [1.0, 2.0]
        self.assertIn("kernel", self.succeed("inspect", model).out)
        told = self.succeed("inspect", model, "--verify").out
        for words in ("kernel", "weights: not judged", "shapes and tokenizer: not judged"):
            self.assertIn(words, told)

    def test_of_what_a_run_exported_only_weights_may_not_be_missing(self):
        self.succeed(self.config(train={"max_steps": 2}, data={"test_file": None}))
        (self.run_dir() / "model/README.md").unlink()
        for target in (self.run_dir(), self.run_dir() / "model"):
            told = self.succeed("inspect", target, "--verify").out
            self.assertIn("changed since the export: README.md (missing)", told)
        (self.run_dir() / "model/model.safetensors").unlink()
        for target in (self.run_dir(), self.run_dir() / "model"):
            done = self.run_program("inspect", target, "--verify")
            self.assertEqual(done.code, 79, done.err)
            self.assertIn("model/model.safetensors is missing", done.err)


if __name__ == "__main__":
    unittest.main()
