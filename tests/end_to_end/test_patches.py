"""ViT and DINOv2 from raw images to a model that transformers loads."""
import json
import unittest

from harness import read_rows
from pictures import PictureRuns

DECAYING = {"optim": "adamw", "momentum": 0.0, "learning_rate": 3e-3}


def make_vit(directory, kind="ViT", image_size=24, **changes):
    import torch
    import transformers

    torch.manual_seed(3)
    shape = dict(hidden_size=24, num_hidden_layers=3, num_attention_heads=3, image_size=image_size, patch_size=8, num_labels=3, initializer_range=0.1)
    shape.update({"intermediate_size": 48} if kind == "ViT" else {"mlp_ratio": 2, "layerscale_value": 0.5})
    getattr(transformers, f"{kind}ForImageClassification")(getattr(transformers, f"{kind}Config")(**{**shape, **changes})).save_pretrained(directory)
    return directory


class Patches(PictureRuns):
    model = "vit"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_vit(cls.shared / "vit")

    def tensors(self, directory):
        from safetensors.torch import load_file

        return load_file(directory / "model.safetensors")

    def processed_scores(self, directory, files):
        """By transformers alone, from the files of pictures."""
        import torch
        from PIL import Image
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        processor, net = AutoImageProcessor.from_pretrained(directory), AutoModelForImageClassification.from_pretrained(directory).eval()
        with torch.no_grad():
            scores = torch.softmax(net(**processor([Image.open(path).convert("RGB") for path in files], return_tensors="pt")).logits, -1)
        return [{net.config.id2label[i]: p for i, p in enumerate(row)} for row in scores.tolist()]

    def test_learns_predicts_and_transformers_agrees(self):
        done = self.succeed(self.images_config(train={"num_train_epochs": 12}, optim=DECAYING, data={"horizontal_flip": True}), ranks=3)
        self.assertIn("says the image_std of pixels; taken is [0.5,0.5,0.5], the usual one of vit", done.err)
        files = self.files(self.shared / "test")
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        self.assert_same_scores(ours, self.processed_scores(self.run_dir() / "model", files))
        self.assertGreater(self.summary()["test_metrics"]["accuracy"], 0.6)
        done = self.succeed("predict", self.run_dir(), "--input", self.shared / "test", "--output", self.home / "again.jsonl", ranks=2)
        self.assertNotIn("of pixels; taken", done.err)
        self.assert_same_scores(read_rows(self.home / "again.jsonl"), [row["scores"] for row in ours])

    def test_a_requeued_run_goes_on_where_the_model_settles_how_pixels_are_resized(self):
        (make_vit(self.home / "bicubic") / "preprocessor_config.json").write_text(json.dumps({"resample": 3}))
        config = self.images_config(model={"model_name_or_path": str(self.home / "bicubic")}, train={"max_steps": 6}, save={"save_strategy": "steps", "save_steps": 2}, top={"overwrite_output_dir": True})
        self.assertNotEqual(self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@4=kill"}).code, 0)
        self.assertIn('interpolation = "bicubic"', (self.run_dir() / "config.toml").read_text())
        self.assertIn("resumed from", self.succeed(config).err)
        self.assertEqual([path.name for path in self.run_dir().parent.glob("*.old*")], [])

    def test_dinov2_keeps_its_mask_token_and_transformers_agrees(self):
        make_vit(self.home / "dino", "Dinov2", use_swiglu_ffn=True)
        before = self.tensors(self.home / "dino")
        self.succeed(self.images_config(model={"model_name_or_path": str(self.home / "dino")}, train={"max_steps": 5}, optim=DECAYING), ranks=2)
        after = self.tensors(self.run_dir() / "model")
        self.assertEqual(sorted(before), sorted(after))
        self.assertEqual(before["dinov2.embeddings.mask_token"].tolist(), after["dinov2.embeddings.mask_token"].tolist())
        self.assertNotEqual(before["dinov2.embeddings.cls_token"].tolist(), after["dinov2.embeddings.cls_token"].tolist())
        files = self.files(self.shared / "test")
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), self.processed_scores(self.run_dir() / "model", files))

    def test_positions_of_another_size_are_those_that_transformers_interpolates(self):
        import torch
        from transformers import ViTForImageClassification

        for size in (16, 40):
            make_vit(self.home / f"of_{size}", image_size=size)
            name = f"from_{size}"
            done = self.succeed(self.images_config(name, model={"model_name_or_path": str(self.home / f"of_{size}")}, data={"image_size": 24}, freeze={"all_but_last": 0}, train={"max_steps": 1}))
            self.assertIn("brought to the size of the images: vit.embeddings.position_embeddings", done.err)
            net = ViTForImageClassification.from_pretrained(self.home / f"of_{size}")
            wanted = net.vit.embeddings.interpolate_pos_encoding(torch.zeros(1, 10, 24), 24, 24)
            found = self.tensors(self.run_dir(name) / "model")["vit.embeddings.position_embeddings"]
            self.assertLess((wanted - found).abs().max().item(), 1e-6)
            self.assertEqual(json.loads((self.run_dir(name) / "model" / "config.json").read_text())["image_size"], 24)
            self.assert_same_scores(read_rows(self.run_dir(name) / "predictions.jsonl"), self.processed_scores(self.run_dir(name) / "model", self.files(self.shared / "test")))

    def test_frozen_blocks_cached_and_recomputed_train_to_the_same_weights(self):
        freeze = {"all_but_last": 1}
        for name, more in (("plain", {}), ("recomputed", {"train": {"gradient_checkpointing": True}}), ("cached", {"freeze": {**freeze, "cache": "memory"}})):
            self.succeed(self.images_config(name, **{"freeze": freeze, "train": {"max_steps": 6}, "optim": DECAYING, **{key: {**({"max_steps": 6} if key == "train" else {}), **value} for key, value in more.items()}}), ranks=2)
        plain, before = self.tensors(self.run_dir("plain") / "model"), self.tensors(self.shared / "vit")
        for name in ("recomputed", "cached"):
            for key, value in self.tensors(self.run_dir(name) / "model").items():
                self.assertLess((value - plain[key]).abs().max().item(), 1e-6, f"{name} {key}")
        moved = {key for key in before if not before[key].equal(plain[key])}
        self.assertTrue(all(".layer.2." in key or "layernorm" in key or "classifier" in key for key in moved), moved)
        self.assertIn("vit.encoder.layer.2.attention.attention.query.weight", moved)

    def test_adapters_are_merged_into_what_transformers_loads(self):
        self.succeed(self.images_config(lora={"r": 4, "target_modules": ["query", "value"]}, optim=DECAYING, train={"max_steps": 8}), ranks=2)
        self.succeed("export", self.run_dir(), "--output", self.home / "whole")
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), self.processed_scores(self.home / "whole", self.files(self.shared / "test")))

    def test_sizes_that_do_not_fit_are_told_with_their_cure(self):
        make_vit(self.home / "of_16", image_size=16)
        model = {"model_name_or_path": str(self.home / "of_16")}
        self.refuse(78, "24 × 24", "takes 16 × 16", "data.image_size = 16", config=self.images_config(model=model))
        self.refuse(78, "image_size must be a multiple of patch_size (8)", "found 20", config=self.images_config(data={"image_size": 20}))
        config = json.loads((self.shared / "vit" / "config.json").read_text())
        for key, value, words in (("patch_size", [8, 4], "patch_size must be one number"), ("num_channels", 4, "num_channels must be"), ("num_attention_heads", 5, "multiple of num_attention_heads (5)")):
            (self.home / "of_16" / "config.json").write_text(json.dumps({**config, key: value}))
            self.refuse(78, words, config=self.images_config(model=model))


if __name__ == "__main__":
    unittest.main()
