"""Files that lie about themselves: refused by name, at once, in little memory, before anything is left behind."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import unittest

from harness import EndToEnd, PROGRAM


class HostileFiles(EndToEnd):
    def refuse(self, code, *wanted, config, command="train", memory=None, seconds=30):
        """Ends with the code and one error line that says the words, within the seconds and MiB of address space."""
        limit = ["prlimit", f"--as={memory << 20}"] if memory else []
        done = subprocess.run(limit + [PROGRAM, command, str(config)], capture_output=True, text=True, timeout=seconds)
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        self.assertEqual((done.returncode, len(errors)), (code, 1), done.stderr)
        for word in wanted:
            self.assertIn(word, errors[0])
        self.assertEqual(list(self.run_dir().glob("checkpoint-*")) + list(self.run_dir().glob("model")), [])

    def copied_model(self):
        model = self.home / "model"
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(self.shared / "model", model)
        return model

    def config_of(self, model, **sections):
        return self.config(model={"model_name_or_path": str(model)}, **sections)

    def model_with_tensor(self, name, change):
        """A copy of the model in which `change` has had the header's entry and the bytes of one tensor."""
        model = self.copied_model()
        data = bytearray((model / "model.safetensors").read_bytes())
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + length])
        begin, end = header[name]["data_offsets"]
        body = data[8 + length:]
        body[begin:end] = change(header[name], body[begin:end])
        text = json.dumps(header).encode()
        (model / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
        return model

    def test_weights_that_are_not_finite(self):
        for number, word in ((float("nan"), "NaN"), (float("inf"), "infinite")):
            model = self.model_with_tensor("bert.encoder.layer.1.output.dense.weight", lambda entry, data: data[:20] + struct.pack("<f", number) + data[24:])
            self.refuse(79, "model.safetensors", "bert.encoder.layer.1.output.dense.weight", "element 5", word, config=self.config_of(model))

    def test_types_that_cannot_be_weights(self):
        def as_integers(entry, data):
            entry["dtype"] = "I32"
            return data
        model = self.model_with_tensor("bert.encoder.layer.0.output.dense.weight", as_integers)
        self.refuse(79, "model.safetensors", "bert.encoder.layer.0.output.dense.weight", "I32", config=self.config_of(model))

    def test_sizes_that_no_model_has(self):
        absurd = {"hidden_size": 2 ** 40, "vocab_size": 2 ** 40, "intermediate_size": 2 ** 62, "max_position_embeddings": 2 ** 50, "num_hidden_layers": 10 ** 6}
        for key, value in absurd.items():
            model = self.copied_model()
            content = json.loads((model / "config.json").read_text())
            (model / "config.json").write_text(json.dumps({**content, key: value}))
            self.refuse(78, "config.json", key, str(value), config=self.config_of(model), memory=4000)

    def test_sizes_each_possible_and_together_beyond_memory(self):
        model = self.copied_model()
        content = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps({**content, "hidden_size": 2 ** 20, "num_hidden_layers": 1000}))
        self.refuse(78, "config.json", "1000 layers of 1048576", "memory", config=self.config_of(model), memory=4000)

    def refuse_tokenizer(self, change, *wanted, code=79):
        """Of a copy of the model whose tokenizer.json `change` has had."""
        model = self.copied_model()
        content = json.loads((model / "tokenizer.json").read_text())
        change(content)
        (model / "tokenizer.json").write_text(json.dumps(content))
        self.refuse(code, *wanted, config=self.config_of(model, data={"prepared_dir": str(self.home / "prepared")}), memory=4000)

    def test_tokenizer_with_ids_above_the_vocabulary(self):
        def move_words(content):
            for word in list(content["model"]["vocab"])[30:]:
                content["model"]["vocab"][word] += 900_000
        self.refuse_tokenizer(move_words, "900", "embeddings")

        for far in (2 ** 32 - 1, 2 ** 31 - 2):
            def beyond_any_model(content):
                content["model"]["vocab"]["word7"] = far
            self.refuse_tokenizer(beyond_any_model, "tokenizer.json", str(far))

    def test_tokenizer_whose_template_names_what_is_not_defined(self):
        def forget(content):
            del content["post_processor"]["special_tokens"]["[SEP]"]
        self.refuse_tokenizer(forget, "tokenizer.json", "[SEP]")

        def move_special(content):
            content["post_processor"]["special_tokens"]["[SEP]"]["ids"] = [70_000]
        self.refuse_tokenizer(move_special, "70000", "embeddings")

    def test_tokenizer_that_makes_much_of_little(self):
        def grow(content):
            content["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "o"}, "content": "o" * 1000}] * 3}
        self.refuse_tokenizer(grow, "tokenizer.json", "normalizer")

    def test_what_is_no_regular_file(self):
        """A FIFO nobody writes to, a device that never ends, a directory: told at once."""
        fifo, zero, folder = self.home / "fifo.jsonl", "/dev/zero", self.home / "folder.csv"
        os.mkfifo(fifo)
        folder.mkdir()
        for place in (fifo, folder):
            self.refuse(78, "train_file", place.name, config=self.config(data={"train_file": str(place)}))
        for place in (fifo, zero, folder):
            done = subprocess.run([PROGRAM, "train", str(place)], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn(pathlib.Path(place).name, done.stderr)
            for name in ("model.safetensors", "config.json", "tokenizer.json"):
                model = self.copied_model()
                (model / name).unlink()
                (model / name).symlink_to(place)
                self.refuse(78, name, config=self.config_of(model))

    def test_files_that_no_memory_holds(self):
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            model = self.copied_model()
            with open(model / name, "w") as file:
                file.truncate(2 ** 40)
            self.refuse(79, name, config=self.config_of(model), memory=4000)
        path = self.home / "large.toml"
        path.write_text("")
        os.truncate(path, 2 ** 40)
        self.refuse(79, "large.toml", "1.0 TiB", config=path, memory=4000)

    def test_trees_deeper_than_any_config(self):
        deep = '{"a":' * 100_000 + "1" + "}" * 100_000
        for name, key in (("adapter_config.json", "peft_type"), ("tokenizer_config.json", "model_max_length"), ("preprocessor_config.json", "image_mean")):
            model = self.copied_model()
            (model / name).write_text(f'{{"{key}": {deep}}}')
            done = subprocess.run([PROGRAM, "predict", str(model), "--input", str(self.shared / "test.jsonl"), "--output", str(self.home / "out.jsonl")], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 79, (name, done.stderr))
            self.assertIn(name, done.stderr)
        for opening, closing in (("[", "]"), ('{"a":', "1}")):
            model = self.copied_model()
            inside = opening * 100_000 + closing[:-1] + closing[-1] * 100_000
            content = json.loads((model / "config.json").read_text())
            (model / "config.json").write_text(json.dumps(content)[:-1] + f', "deep": {inside}}}')
            self.refuse(79, "config.json", "nested deeper", config=self.config_of(model))
        for text in ("deep = " + "[" * 100_000 + "]" * 100_000, "[" + ".".join(["a"] * 100_000) + "]\nb = 1", ".".join(["a"] * 100_000) + " = 1"):
            path = self.home / "deep.toml"
            path.write_text(text + "\n")
            self.refuse(78, "deep.toml:1", config=path)


if __name__ == "__main__":
    unittest.main()
