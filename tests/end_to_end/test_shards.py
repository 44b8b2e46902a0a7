"""A model in several files: cut as transformers cuts it, read by transformers and by this program."""
import json
import unittest

from harness import EndToEnd, read_rows

MOST_BYTES = 30_000  # the model has 92 KB; its largest tensor 8.7


class Shards(EndToEnd):
    def test_a_model_above_the_limit_is_several_files_with_an_index(self):
        from safetensors.torch import load_file
        from transformers import AutoModelForSequenceClassification

        sections = dict(train={"max_steps": 3}, save={"save_strategy": "no"})
        self.succeed(self.config("whole", **sections))
        sections["save"]["max_shard_bytes"] = MOST_BYTES
        config = self.config("cut", **sections)
        self.succeed(config, ranks=2)
        model = self.run_dir("cut") / "model"
        index, files = json.loads((model / "model.safetensors.index.json").read_text()), sorted(model.glob("*.safetensors"))
        self.assertEqual([file.name for file in files], [f"model-{i:05}-of-{len(files):05}.safetensors" for i in range(1, len(files) + 1)])
        self.assertGreater(len(files), 2)
        held = {name: (file.name, value) for file in files for name, value in load_file(file).items()}
        self.assertEqual({name: file for name, (file, _) in held.items()}, index["weight_map"])
        self.assertEqual(sum(value.nbytes for _, value in held.values()), index["metadata"]["total_size"])
        for file in files:
            self.assertLessEqual(sum(value.nbytes for _, value in load_file(file).items()), MOST_BYTES)
        whole = load_file(self.run_dir("whole") / "model" / "model.safetensors")
        self.assertEqual(set(held), set(whole))

        theirs, told = AutoModelForSequenceClassification.from_pretrained(model, output_loading_info=True)
        self.assertFalse(told["missing_keys"] or told["unexpected_keys"], told)
        for name, value in theirs.state_dict().items():
            if name in held:
                self.assertTrue((value == held[name][1]).all(), name)
        self.succeed("predict", model, "--input", self.shared / "test.jsonl", "--output", self.home / "predicted.jsonl")
        for trained, read in zip(read_rows(self.run_dir("cut") / "predictions.jsonl"), read_rows(self.home / "predicted.jsonl"), strict=True):
            for name, score in read["scores"].items():
                self.assertAlmostEqual(trained["scores"][name], score, delta=1e-5)

    def test_cut_files_are_known_as_exported_and_replaced_whole(self):
        config = self.config(train={"max_steps": 2}, save={"max_shard_bytes": MOST_BYTES})
        self.succeed(config)
        self.succeed(config, "train.max_steps=4")
        self.assertFalse(list(self.run_dir().glob("model.kept*")))
        self.assertEqual(len(list((self.run_dir() / "model").glob("*.index.json"))), 1)


if __name__ == "__main__":
    unittest.main()
