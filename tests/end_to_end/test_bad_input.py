"""Each mistake: one clear line that names place and remedy, the promised exit code, nothing half-written."""
import json
import pathlib
import shutil
import unittest

from harness import EndToEnd, make_model, make_rows, write_rows


class BadInput(EndToEnd):
    def refuse(self, code, *wanted, config=None, ranks=1, arguments=(), environment=None):
        """The run ends with the code, says each wanted word in one line told once, and shows no stack trace."""
        done = self.run_program(config or self.config(), *arguments, ranks=ranks, environment=environment)
        errors = [line for line in done.err.splitlines() if "error:" in line]
        self.assertEqual(done.code, code, done.err)
        self.assertEqual(len(errors), 1, done.err)
        for word in wanted:
            self.assertIn(word, errors[0])
        for sign in ("backtrace", "terminate called", "Exception raised from", "#0"):
            self.assertNotIn(sign, done.err)
        self.assertFalse((self.run_dir() / "model").exists())

    def rows_file(self, content, name="rows.jsonl"):
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def with_rows(self, content, name="rows.jsonl", **data):
        return self.config(data={"train_file": self.rows_file(content, name), "validation_file": None, "test_file": None, **data})

    def test_misspelt_key_names_line_and_nearest(self):
        self.refuse(78, "run.toml:", "learning_rat", "did you mean", "learning_rate", config=self.config(optim={"learning_rat": 1e-3}))
        self.refuse(78, "learning_rate", config=self.config(), arguments=["--learning_rat", "1e-3"])

    def test_wrong_type_and_value_out_of_range(self):
        self.refuse(78, "run.toml:", "optim.learning_rate", config=self.config(optim={"learning_rate": "fast"}))
        self.refuse(78, "run.toml:", "optim.learning_rate", config=self.config(optim={"learning_rate": -1.0}))

    def test_what_is_not_built_is_refused_by_name(self):
        self.refuse(78, "model.task", "audio_classification", "not built", config=self.config(model={"task": "audio_classification"}))
        self.refuse(78, "float16", "not built", config=self.config(model={"dtype": "float16"}))

    def test_contradicting_batch_keys(self):
        self.refuse(78, "global_batch_size", config=self.config(train={"global_batch_size": 32, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}))

    def test_missing_file(self):
        self.refuse(78, "run.toml:", "data.train_file", "absent.jsonl", config=self.config(data={"train_file": str(self.home / "absent.jsonl")}))
        self.refuse(78, "absent.toml", config=self.home / "absent.toml")

    def test_names_that_no_file_can_have(self):
        name = "a" * 300
        self.refuse(78, name[:40], "File name too long", config=self.config(data={"train_file": name}), ranks=2)
        self.refuse(78, name[:40], "File name too long", config=self.config(model={"model_name_or_path": name}))
        done = self.run_program("inspect", name)
        self.assertEqual(done.code, 78, done.err)
        done = self.run_program("predict", self.shared / "model", "--input", "-", "--output", "-", environment={"TMPDIR": str(self.home / "absent")})
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("which TMPDIR names, cannot be used: No such file or directory", done.err)

    def test_wrong_column(self):
        self.refuse(78, "txet", "text", config=self.config(data={"text_column": "txet"}))

    def test_columns_by_another_separator(self):
        self.refuse(78, "rows.csv", "separated by ';', and ',' is read", config=self.with_rows("text;label\nword1;x\nword2;y\n", "rows.csv"))
        self.refuse(78, "rows.tsv", "separated by ',', and '\\t' is read", config=self.with_rows("text,label\nword1,x\nword2,y\n", "rows.tsv"))

    def test_label_in_test_that_train_lacks(self):
        rows = make_rows(5, 1) + [{"text": "word1", "label": "delta"}]
        write_rows(self.home / "test.jsonl", rows)
        self.refuse(79, "test.jsonl:6", "delta", config=self.config(data={"test_file": str(self.home / "test.jsonl")}), ranks=2)

    def test_empty_file_and_one_class(self):
        self.refuse(79, "rows.jsonl", config=self.with_rows(""))
        self.refuse(79, "class", config=self.with_rows('{"text": "word1", "label": "x"}\n' * 4))

    def test_bad_json_names_its_line(self):
        self.refuse(79, "rows.jsonl:2", config=self.with_rows('{"text": "word1", "label": "x"}\n{"text": "word1", "label": }\n'), ranks=2)

    def test_invalid_utf8_names_its_line(self):
        self.refuse(79, "rows.jsonl:2", "UTF-8", config=self.with_rows(b'{"text": "word1", "label": "x"}\n{"text": "w\xff", "label": "y"}\n'))

    def test_bad_rows_can_be_skipped_and_are_counted(self):
        good = "".join(json.dumps(row) + "\n" for row in make_rows(30, 1))
        done = self.succeed(self.with_rows(good + "{broken\n", on_bad_row="skip"), ranks=2)
        self.assertIn("1 bad", done.err)

    def test_tokenizer_of_another_model(self):
        model = self.home / "model"
        make_model(model, vocab_size=40)
        self.refuse(79, "tokenizer", "40", config=self.config(model={"model_name_or_path": str(model)}))

    def test_truncated_weights(self):
        model = self.home / "model"
        shutil.copytree(self.shared / "model", model)
        path = model / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
        self.refuse(79, "model.safetensors", config=self.config(model={"model_name_or_path": str(model)}), ranks=2)

    def test_weights_that_torch_did_not_save_are_refused_with_what_converts_them(self):
        model = self.home / "model"
        shutil.copytree(self.shared / "model", model)
        (model / "model.safetensors").rename(model / "pytorch_model.bin")
        done = self.run_program(self.config(model={"model_name_or_path": str(model)}))
        self.assertEqual(done.code, 79, done.err)
        self.assertIn("pytorch_model.bin: not a file of torch.save", done.err)
        self.assertIn("torch.load", done.err)

    def test_a_checkpoint_with_a_flipped_bit_is_neither_evaluated_nor_exported(self):
        self.succeed(self.config(train={"max_steps": 3}, data={"test_file": None}))
        foreign = shutil.copytree(self.shared / "model", self.run_dir() / "checkpoint-900")
        (foreign / "manifest.json").write_text('{"some": "tool"}')
        report = json.loads(self.succeed("evaluate", self.run_dir()).out)
        self.assertTrue(report["model"].endswith("checkpoint-3"), report["model"])
        path = self.run_dir() / "checkpoint-3" / "model.safetensors"
        content = bytearray(path.read_bytes())
        content[-40] ^= 1
        path.write_bytes(content)
        for command in (("evaluate", self.run_dir()), ("export", self.run_dir(), "--output", self.home / "exported")):
            done = self.run_program(*command)
            self.assertEqual(done.code, 79, done.err)
            self.assertIn("checkpoint-3/model.safetensors: its checksum is not the manifest's", done.err)

    def test_flipped_bit_in_a_shard(self):
        config = self.config()
        self.succeed("prepare", config)
        shard = next(self.home.rglob("train-*/*.h5"))
        data = bytearray(shard.read_bytes())
        data[len(data) // 2] ^= 1
        shard.write_bytes(data)
        self.refuse(79, shard.name, config=config, ranks=2)
        shutil.rmtree(shard.parent)

    def test_flipped_bit_in_a_shard_of_the_test_split_is_told_before_the_first_update(self):
        config = self.config()
        self.succeed("prepare", config)
        shard = next(self.home.rglob("test-*/*.h5"))
        data = bytearray(shard.read_bytes())
        data[len(data) // 2] ^= 1
        shard.write_bytes(data)
        self.refuse(79, shard.name, "damaged", config=config, ranks=2)
        self.assertFalse(list(self.run_dir().glob("checkpoint-*")), "it trained")
        self.assertFalse((self.run_dir() / "metrics.jsonl").exists() and self.lines())

    def test_output_directory_that_cannot_be_written(self):
        blocker = pathlib.Path(self.rows_file("", "blocker"))
        self.refuse(81, "blocker", config=self.config(top={"output_dir": str(blocker / "run")}))

    def test_full_disk_keeps_the_earlier_checkpoint(self):
        config = self.config(save={"save_strategy": "steps", "save_steps": 5, "save_total_limit": 0})
        done = self.run_program(config, environment={"SFT_FAILPOINTS": "checkpoint.before_write@2=errno:28"})
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("No space left", done.err)
        self.assertTrue((self.run_dir() / "checkpoint-5").is_dir())
        self.assertFalse((self.run_dir() / "checkpoint-10").is_dir())

    def test_regex_that_matches_nothing_and_everything_frozen(self):
        self.refuse(78, "freeze", "embedings", config=self.config(freeze={"freeze": ["embedings"]}))
        self.refuse(78, "freeze", config=self.config(freeze={"freeze": ["."]}))

    def test_gradients_that_are_not_finite(self):
        self.refuse(80, "not finite", config=self.config(optim={"learning_rate": 1e30}, train={"num_train_epochs": 5, "max_grad_norm": 0.0}), ranks=2)

    def test_command_line(self):
        self.assertEqual(self.run_program("trian").code, 2)
        self.assertEqual(self.run_program("predict").code, 2)
        self.assertEqual(self.run_program("--version").code, 0)
        self.assertIn("sft-dist", self.run_program("--help").out)


if __name__ == "__main__":
    unittest.main()
