"""What a new user tries first: the starter configs, each accepted as it is printed once its paths are those of somebody's files, the names of other trainers, doctor."""
import os
import re
import unittest
from pathlib import Path

from harness import EndToEnd, read_rows, write_rows
from test_detection import make_coco, make_yolos
from test_images import make_images, make_resnet
from test_language_models import make_chat_model
from test_pairs import make_translator
from test_segmentation import make_folder, make_segformer


class Init(EndToEnd):
    def files(self, starter):
        """Train and validation rows of a starter's form."""
        rows = read_rows(self.shared / "train.jsonl")
        if starter == "image_classification":
            return [make_images(self.home / f"{starter}-{part}", 12, seed) for part, seed in (("train", 1), ("validation", 2))]
        if starter == "semantic_segmentation":
            return [make_folder(self.home / f"{starter}-{part}", 12, seed) for part, seed in (("train", 1), ("validation", 2))]
        if starter == "object_detection":
            return [make_coco(self.home / f"{starter}-{part}", 12, seed) for part, seed in (("train", 1), ("validation", 2))]
        if starter == "multi_label":
            rows = [{**row, "label": [row["label"], "long"] if len(row["text"]) > 40 else [row["label"]]} for row in rows]
        if starter == "regression":
            rows = [{**row, "label": len(row["text"]) / 100} for row in rows]
        if starter == "token_classification":
            rows = [{"tokens": row["text"].split(), "ner_tags": ["B-A" if word.endswith("1") else "O" for word in row["text"].split()]} for row in rows]
        if starter == "question_answering":
            rows = [{"id": str(i), "question": "a", "context": row["text"], "answers": {"text": [row["text"].split()[0]], "answer_start": [0]}} for i, row in enumerate(rows)]
        if starter == "causal_lm":
            rows = [{"messages": [{"role": "user", "content": row["text"][:20]}, {"role": "assistant", "content": row["label"]}]} for row in rows]
        if starter == "seq2seq_lm":
            rows = [{"source": row["text"], "target": row["label"]} for row in rows]
        paths = [self.home / f"{starter}-{part}.jsonl" for part in ("train", "validation")]
        write_rows(paths[0], rows[:60])
        write_rows(paths[1], rows[60:])
        return paths

    def test_every_starter_trains_as_it_is_printed(self):
        make_resnet(self.home / "resnet")
        make_segformer(self.home / "segformer")
        make_yolos(self.home / "yolos")
        make_chat_model("llama", self.home / "llama")
        make_translator(self.home / "t5")
        for starter in ("text_classification", "multi_label", "regression", "token_classification", "question_answering", "causal_lm", "seq2seq_lm", "image_classification", "semantic_segmentation", "object_detection"):
            config = self.home / f"{starter}.toml"
            config.write_text(self.succeed("init", starter).out)
            train, validation = self.files(starter)
            model = {"image_classification": self.home / "resnet", "semantic_segmentation": self.home / "segformer", "object_detection": self.home / "yolos", "causal_lm": self.home / "llama", "seq2seq_lm": self.home / "t5"}.get(starter, self.shared / "model")
            length = {"causal_lm": ["data.max_length=160", "generate.max_new_tokens=8"], "seq2seq_lm": ["generate.max_new_tokens=8"], "image_classification": ["data.image_size=24"], "semantic_segmentation": ["data.image_size=24"], "object_detection": ["data.image_size=32"]}.get(starter, ["data.max_length=32"])
            done = self.succeed(config, f"output_dir={self.home / starter}", f"model.model_name_or_path={model}", f"data.train_file={train}", f"data.validation_file={validation}",
                                *length, *(["data.doc_stride=8"] if starter == "question_answering" else []), "model.ignore_mismatched_sizes=true", "train.num_train_epochs=1", "log.progress=none", ranks=2)
            self.assertNotIn("has no effect", done.err, starter)
            self.assertTrue((self.home / starter / "model" / "config.json").exists(), starter)

    def test_without_a_task_it_prints_the_main_one_and_names_all_to_who_misspells(self):
        self.assertEqual(self.succeed("init").out, self.succeed("init", "text_classification").out)
        done = self.run_program("init", "token_clasification")
        self.assertEqual(done.code, 2)
        self.assertIn("did you mean 'token_classification'?", done.err)

    def test_what_users_of_trainer_type_is_answered(self):
        import dataclasses

        from transformers import TrainingArguments
        page = (Path(__file__).resolve().parents[2] / "docs/coming_from_trainer.md").read_text()
        self.assertEqual([field.name for field in dataclasses.fields(TrainingArguments) if f"`{field.name}`" not in page], [])
        for typed, told in ((["--bf16"], "unknown key 'bf16'; here: model.dtype = \"bfloat16\""), (["--dropout", "0.2"], "model.config = { hidden_dropout_prob"), (["push_to_hub=true"], "hf upload NAME"),
                            (["report_to=wandb"], "'wandb' is not built yet; built: tensorboard, none")):
            done = self.run_program(self.config(), "--dry-run", *typed)
            self.assertEqual(done.code, 78, done.err)
            self.assertIn(told, done.err)
        self.succeed(self.config(), "--dry-run", "--lr", "1e-4", "--num_epochs", "2", "--evaluation_strategy", "no", "--torch_dtype", "fp32", "--lora_r", "0")

    def test_help_explains_keys_as_the_page_of_all_keys_does(self):
        page = (Path(__file__).resolve().parents[2] / "docs/configuration.md").read_text()
        self.assertEqual(self.succeed("help", "keys").out, page, "sft-dist help keys > docs/configuration.md")
        self.assertIn("optim.learning_rate = 5e-05\n", self.succeed("help", "lr").out)
        self.assertEqual(self.succeed("help", "learning_rate").out, self.succeed("help", "optim.learning_rate").out)
        self.assertIn("here: model.dtype", self.succeed("help", "bf16").out)
        self.assertEqual(self.succeed("help", "train").out, self.succeed("train", "--help").out)
        done = self.run_program("help", "learning_rat")
        self.assertEqual(done.code, 2)
        self.assertIn("did you mean 'learning_rate'?", done.err)

    def test_doctor_says_what_the_host_has(self):
        done = self.succeed("doctor")
        memory = int(re.search(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())[1]) / 2**20
        told = re.search(r"^host +\S+: (\d+) cores, load [\d.]+, ([\d.]+) GiB of memory, [\d.]+ [GM]iB free$", done.out, re.M)
        self.assertEqual(int(told[1]), os.cpu_count())
        self.assertLessEqual(float(told[2]), memory + 0.1)
        self.assertRegex(done.out, r"(?m)^device +(cuda:\d+|cpu \(no GPU: .+\))$")

    def test_check_tells_what_the_run_then_takes(self):
        config = self.config(save={"save_strategy": "epoch", "save_total_limit": 2})
        done = self.succeed("check", config, ranks=2)
        self.assertFalse(self.run_dir().exists())
        told = re.search(r"(?s)rows +90 to train, 41 of validation, 37 of test\nupdates +36 of 8 rows, 12 an epoch, on 2 ranks\ntime +([\d.]+) ms an update .*"
                         r"memory +([\d.]+) MiB a rank, .*disk +([\d.]+) KiB a checkpoint, 3 at once", done.out)
        self.assertIsNotNone(told, done.out)
        self.succeed(config, ranks=2)
        summary = self.summary()
        update, memory, checkpoint = (float(number) for number in told.groups())
        self.assertAlmostEqual(memory / (max(summary["peak_rss_bytes"]) / 2**20), 1, delta=0.25)
        files = (self.run_dir() / f"checkpoint-{summary['global_step']}").rglob("*.safetensors")
        self.assertAlmostEqual(checkpoint / (sum(file.stat().st_size for file in files) / 2**10), 1, delta=0.06)
        self.assertLess(update / 1000 * 36, 20 * summary["train_runtime"])
        self.assertLess(summary["train_runtime"], 20 * update / 1000 * 36)
        for settings, count in ((["save_strategy=no"], 1), (["save_strategy=best", "eval_strategy=steps", "eval_steps=5"], 4)):
            self.assertIn(f"a checkpoint, {count} at once", self.succeed("check", config, f"output_dir={self.home / 'nowhere'}", *settings).out)
        self.assertEqual(self.run_program("check", config, "data.train_file=nowhere.jsonl").code, 78)


if __name__ == "__main__":
    unittest.main()
