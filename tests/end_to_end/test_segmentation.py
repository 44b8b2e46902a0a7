"""Semantic segmentation from folders of pictures and masks to a model that transformers loads."""
import json
import pathlib
import shutil
import unittest

from harness import read_rows
from pictures import PictureRuns

NAMES = ["ground", "disc", "bar"]
ADAM = {"optim": "adamw", "momentum": 0.0, "learning_rate": 6e-3}


def make_segformer(directory, **changes):
    import torch
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    torch.manual_seed(3)
    shape = dict(num_encoder_blocks=2, hidden_sizes=[8, 16], depths=[1, 1], num_attention_heads=[1, 2], patch_sizes=[7, 3], strides=[4, 2], sr_ratios=[2, 1], mlp_ratios=[2, 2],
                 decoder_hidden_size=16, num_labels=3, initializer_range=0.1)
    SegformerForSemanticSegmentation(SegformerConfig(**{**shape, **changes})).save_pretrained(directory)


def drawn(seed, side=32):
    """A picture of noise with a reddish disc and a bluish bar, and its mask; a border of the disc has no class."""
    import numpy as np

    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    pixels, mask = draw.integers(0, 120, (side, side, 3)), np.zeros((side, side), np.uint8)
    top = draw.integers(0, side - 8)
    bar = (y >= top) & (y < top + 6)
    mask[bar] = 2
    distance = np.hypot(y - draw.integers(8, side - 8), x - draw.integers(8, side - 8))
    mask[distance < 9] = 1
    for label, channel in ((1, 0), (2, 2)):
        pixels[mask == label, channel] += 130
    mask[(distance >= 9) & (distance < 10)] = 255
    return pixels.clip(0, 255).astype(np.uint8), mask


def make_folder(root, count, seed, side=32, palette=True):
    from PIL import Image

    for number in range(count):
        pixels, mask = drawn(1000 * seed + number, side)
        for folder in ("images", "masks"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / "images" / f"{number:03}.{'png' if number % 2 else 'jpg'}", **({} if number % 2 else {"quality": 95}))
        image = Image.fromarray(mask, "P" if palette and number % 3 else "L")
        if image.mode == "P":
            image.putpalette([number * 7 % 256 for number in range(768)])
        image.save(root / "masks" / f"{number:03}.png")
    (root / "classes.txt").write_text("\n".join(NAMES) + "\n")
    return root


class Segmentation(PictureRuns):
    model = "segformer"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_segformer(cls.shared / "segformer")
        for name, count, seed in (("train_masks", 40, 1), ("validation_masks", 13, 2), ("test_masks", 11, 3)):
            make_folder(cls.shared / name, count, seed)

    def masks_config(self, name="run", **sections):
        data = {f"{split}_file": str(self.shared / f"{split}_masks") for split in ("train", "validation", "test")}
        values = {"model": {"task": "semantic_segmentation"}, "data": data, "optim": ADAM, "train": {"num_train_epochs": 20}, "eval": {"eval_strategy": "no"}, "save": {"save_strategy": "no"}}
        for section, keys in sections.items():
            values.setdefault(section, {}).update(keys)
        return self.images_config(name, **values)

    def masks(self, folder):
        import numpy as np
        from PIL import Image

        return [np.asarray(Image.open(path)) for path in sorted((folder / "masks").iterdir())]

    def by_transformers(self, directory, files, sizes):
        """Classes of pixels from the model's directory alone."""
        import torch
        from PIL import Image
        from transformers import AutoImageProcessor, AutoModelForSemanticSegmentation

        processor, net = AutoImageProcessor.from_pretrained(directory), AutoModelForSemanticSegmentation.from_pretrained(directory).eval()
        found = []
        for path, size in zip(files, sizes):
            with torch.no_grad():
                logits = net(**processor(Image.open(path).convert("RGB"), return_tensors="pt")).logits
            found.append(torch.nn.functional.interpolate(logits, size=size, mode="bilinear", align_corners=False))
        return net, found

    def masks_of(self, rows):
        import numpy as np

        return [np.repeat(row["runs"][::2], row["runs"][1::2]).reshape(row["height"], row["width"]) for row in rows]

    def test_learns_on_two_ranks_scores_exactly_and_transformers_agrees(self):
        import numpy as np
        import torch

        self.succeed(self.masks_config(), ranks=2)
        summary = self.summary()["test_metrics"]
        scores, rows, truths = {**summary, **summary["details"]}, read_rows(self.run_dir() / "predictions.jsonl"), self.masks(self.shared / "test_masks")
        found, files = self.masks_of(rows), self.files(self.shared / "test_masks" / "images")
        self.assertEqual([row["image"] for row in rows], [str(path) for path in files])
        counts = np.zeros((3, 3), np.int64)
        for truth, guess in zip(truths, found):
            np.add.at(counts, (truth[truth != 255], guess[truth != 255]), 1)
        ious = np.diag(counts) / (counts.sum(0) + counts.sum(1) - np.diag(counts))
        self.assertAlmostEqual(scores["mean_iou"], ious.mean(), delta=1e-12)
        self.assertAlmostEqual(scores["overall_accuracy"], np.trace(counts) / counts.sum(), delta=1e-12)
        self.assertAlmostEqual(scores["mean_accuracy"], (np.diag(counts) / counts.sum(1)).mean(), delta=1e-12)
        self.assertEqual(scores["confusion_matrix"], counts.tolist())
        for name, iou, support in zip(NAMES, ious, counts.sum(1)):
            self.assertAlmostEqual(scores["per_class"][name]["iou"], iou, delta=1e-12)
            self.assertEqual(scores["per_class"][name]["support"], support)
        self.assertGreater(scores["mean_iou"], 0.6)
        self.assertIn("\npipeline_tag: image-segmentation\n", (self.run_dir() / "model/README.md").read_text())

        net, logits = self.by_transformers(self.run_dir() / "model", files, [truth.shape for truth in truths])
        self.assertEqual(type(net).__name__, "SegformerForSemanticSegmentation")
        self.assertEqual(net.config.id2label, dict(enumerate(NAMES)))
        loss = sum(torch.nn.functional.cross_entropy(one, torch.tensor(truth[None]).long(), ignore_index=255, reduction="sum").item() for one, truth in zip(logits, truths))
        self.assertAlmostEqual(scores["loss"], loss / counts.sum(), delta=2e-5)
        for one, guess in zip(logits, found):
            best = one[0].sort(0, descending=True).values
            sure = (best[0] - best[1] > 1e-4).numpy()
            self.assertTrue(np.array_equal(one[0].argmax(0).numpy()[sure], guess[sure]))

        self.succeed("evaluate", self.run_dir(), "--split", "test", ranks=3)
        self.check_files(found)

    def check_files(self, found):
        import numpy as np
        from PIL import Image

        masks, overlays = self.home / "masks_out", self.home / "overlays_out"
        self.succeed("predict", self.run_dir(), "--input", self.shared / "test_masks" / "images", "--output", self.home / "again.jsonl", "--masks", masks, "--overlays", overlays, ranks=2)
        self.assertEqual(len(list(masks.iterdir())), len(found))
        for number, guess in enumerate(found):
            written = Image.open(masks / f"{number:03}.png")
            self.assertEqual(written.mode, "P")
            self.assertTrue(np.array_equal(np.asarray(written), guess))
            picture = np.asarray(Image.open(next((self.shared / "test_masks" / "images").glob(f"{number:03}.*"))).convert("RGB")).astype(int)
            laid = np.asarray(Image.open(overlays / f"{number:03}.png"))
            self.assertTrue(np.array_equal(laid, (picture + np.asarray(written.convert("RGB")).astype(int) + 1) // 2))
        shown = self.gallery()
        self.assertEqual(len(shown), min(12, len(found)))
        for path, (pixels, caption) in shown.items():
            number = int(pathlib.Path(path).stem)
            self.assertTrue(np.array_equal(pixels, np.asarray(Image.open(overlays / f"{number:03}.png"))))
            self.assertEqual([name in caption for name in NAMES], [one in found[number] for one in range(len(NAMES))])

    def test_a_killed_run_goes_on_on_another_world(self):
        from safetensors.torch import load_file

        settings = {"train": {"max_steps": 8, "batch_norm": "frozen"}, "data": {"horizontal_flip": True, "random_scale": [0.5, 2.0], "image_size": 24, "stored_size": 32}, "save": {"save_strategy": "steps", "save_steps": 3}}
        self.succeed(self.masks_config("whole", **settings))
        config = self.masks_config("killed", **settings)
        self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "trainer.step@5=kill"}).code, 0)
        self.assertIn("resumed from", self.succeed(config, ranks=3).err)
        whole, killed = (load_file(self.run_dir(name) / "model" / "model.safetensors") for name in ("whole", "killed"))
        for name, value in whole.items():
            self.assertLess((value - killed[name]).abs().max().item(), 2e-4, name)
        self.assertAlmostEqual(self.summary("whole")["test_metrics"]["loss"], self.summary("killed")["test_metrics"]["loss"], delta=1e-4)

    def test_voc_ade_and_hdf5_hold_the_same_samples_as_folders(self):
        import h5py
        import numpy as np
        from PIL import Image

        images = sorted((self.shared / "train_masks" / "images").iterdir())
        masks = self.masks(self.shared / "train_masks")
        for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
            (self.home / "voc" / folder).mkdir(parents=True)
        for folder in ("images/training", "annotations/training"):
            (self.home / "ade" / folder).mkdir(parents=True)
        for path, mask in zip(images, masks):
            pixels = Image.open(path).convert("RGB")
            pixels.save(self.home / "voc" / "JPEGImages" / f"{path.stem}.png")
            pixels.save(self.home / "ade" / "images" / "training" / f"{path.stem}.png")
            Image.fromarray(mask).save(self.home / "voc" / "SegmentationClass" / f"{path.stem}.png")
            Image.fromarray(np.where(mask == 255, 0, mask + 1).astype(np.uint8)).save(self.home / "ade" / "annotations" / "training" / f"{path.stem}.png")
        (self.home / "voc" / "ImageSets" / "Segmentation" / "train.txt").write_text("".join(f"{path.stem}\n" for path in images))
        with h5py.File(self.home / "all.h5", "w") as file:
            file["pixels"], file["masks"] = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in images]), np.stack(masks)
        weights = {}
        for name, data in (("folders", {}), ("voc", {"train_file": str(self.home / "voc")}), ("list", {"train_file": str(self.home / "voc" / "ImageSets" / "Segmentation" / "train.txt")}),
                           ("ade", {"train_file": str(self.home / "ade" / "images" / "training"), "reduce_labels": True}), ("hdf5", {"train_file": str(self.home / "all.h5")})):
            config = self.masks_config(name, data={"validation_file": None, "test_file": None, "class_names": NAMES, **data}, train={"max_steps": 2, "num_train_epochs": None}, save={"save_strategy": "no"})
            self.succeed(config)
            weights[name] = self.weights(name)
        for name in ("voc", "list", "ade", "hdf5"):
            self.assertTrue(weights["folders"] == weights[name], name)

    def test_bad_masks_are_told_with_file_and_cure(self):
        import numpy as np
        from PIL import Image

        good = self.masks(self.shared / "train_masks")[0]
        rgb = np.zeros((32, 32, 3), np.uint8)
        rgb[4:9] = 128, 0, 0
        for number, (mask, words) in enumerate(((good[:30], ["30 × 32", "its picture", "32 × 32"]), (np.where(good == 2, 7, good), ["has the value 7 (in ", "3 classes: 0 … 2", "classes.txt"]), (rgb, ["is of RGB", "2 colours: (0, 0, 0), (128, 0, 0)", "with a palette"]),
                                                (good.astype(np.uint16), ["16 bits a channel"]), (np.full((32, 32), 255), ["all its pixels are of no class"]), (None, ["000.jpg: has no mask", "wanted", "000.png"]))):
            root = make_folder(self.home / f"bad_{number}", 3, 1)
            path = root / "masks" / "000.png"
            path.unlink()
            if mask is not None:
                Image.fromarray(mask if mask.dtype == np.uint16 else mask.astype(np.uint8)).save(path)
                words = [*words, "masks/000.png"]
            with self.subTest(words=words):
                self.refuse(79, *words, config=self.masks_config(data={"train_file": str(root)}))
        data = {"train_file": str(self.home / "bad_0"), "on_bad_row": "skip", "validation_file": None, "test_file": None}
        self.assertIn("000.png: is 30 × 32", self.succeed(self.masks_config("skips", data=data, train={"max_steps": 1, "num_train_epochs": None})).err)
        (self.home / "bad_0" / "classes.txt").write_text("a\n\nb\n")
        self.refuse(79, "classes.txt:2: is empty", config=self.masks_config(data=data))
        self.refuse(79, "there are names of 300 classes", config=self.masks_config(data={"class_names": [f"class{i}" for i in range(300)]}))
        self.refuse(79, "two classes are called 'sky'", config=self.masks_config(data={"class_names": ["sky", "road", "sky", "tree"]}))
        self.refuse(79, "no masks found", "images/", config=self.masks_config(data={"train_file": str(self.home / "bad_0" / "images" / "..")} | {"train_file": str(self.shared / "train_masks" / "masks")}))

    def test_a_mask_that_is_renamed_or_comes_back_is_prepared_anew(self):
        root = make_folder(self.home / "renamed", 6, 1)
        config = self.masks_config(data={"train_file": str(root), "on_bad_row": "skip", "validation_file": None, "test_file": None})
        (root / "masks" / "004.png").rename(root / "away.png")
        self.assertIn("004.jpg: has no mask", self.succeed("prepare", config).err)
        self.assertIn("prepared before", self.succeed("prepare", config).err)
        (root / "masks" / "005.png").rename(root / "masks" / "004.png")
        self.assertIn("005.png: has no mask", self.succeed("prepare", config).err)
        (root / "away.png").rename(root / "masks" / "005.png")
        self.assertIn("6 images of", self.succeed("prepare", config).err)

    def test_masks_of_the_stored_pixels_are_turned_with_pictures_that_exif_turns(self):
        """Equal to pictures and masks that PIL turned beforehand."""
        import numpy as np
        from PIL import Image, ImageOps

        draw = np.random.default_rng(3)
        ours, theirs = self.home / "stored", self.home / "turned"
        for root in (ours, theirs):
            for folder in ("images", "masks"):
                (root / folder).mkdir(parents=True)
            (root / "classes.txt").write_text("\n".join(NAMES) + "\n")
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            picture, mask = (Image.fromarray(draw.integers(0, high, shape).astype(np.uint8)) for high, shape in ((256, (20, 32, 3)), (3, (20, 32))))
            mask.info["exif"] = exif.tobytes()
            upright, turned = ImageOps.exif_transpose(Image.open(self.saved(picture, ours / "images" / f"{orientation}.png", exif=exif))), mask
            if orientation > 4:
                turned = ImageOps.exif_transpose(Image.open(self.saved(mask, self.home / f"{orientation}.png", exif=exif)))
            self.saved(mask, ours / "masks" / f"{orientation}.png")
            self.saved(Image.fromarray(np.asarray(upright)), theirs / "images" / f"{orientation}.png")
            self.saved(Image.fromarray(np.asarray(turned)), theirs / "masks" / f"{orientation}.png")
        data = {"validation_file": None, "test_file": None, "image_size": 32, "crop": "none"}
        told = self.succeed("prepare", self.masks_config(data={**data, "train_file": str(ours)})).err
        self.assertIn("4 masks turned as the Exif of their pictures says", told)
        self.assertIn("3 masks are of pictures that Exif turns within one size", told)
        self.assertNotIn("Exif", self.succeed("prepare", self.masks_config(data={**data, "train_file": str(theirs)})).err)
        shards = sorted((self.home / ".prepared").glob("train-*/*.h5"))
        self.assertEqual(len(shards), 2)
        self.assertEqual(*(self.pixels_of(shard) for shard in shards))

    def saved(self, image, path, **options):
        image.save(path, **options)
        return path

    def pixels_of(self, shard):
        import h5py

        with h5py.File(shard) as file:
            return {name: file[name][()].tobytes() for name in ("pixels", "mask")}

    def test_a_model_that_was_trained_with_crops_is_served_with_its_masks(self):
        import numpy as np
        from PIL import Image
        from transformers import AutoImageProcessor, pipeline

        self.succeed(self.masks_config(data={"crop": "random_resized", "image_size": 32}, train={"max_steps": 3}))
        model = self.run_dir() / "model"
        processor = AutoImageProcessor.from_pretrained(model)
        file, mask = self.files(self.shared / "test_masks" / "images")[0], self.masks(self.shared / "test_masks")[0]
        taken = processor(Image.open(file).convert("RGB"), segmentation_maps=Image.fromarray(mask), return_tensors="np")
        self.assertEqual(np.shape(taken["pixel_values"])[-2:], np.shape(taken["labels"])[-2:])
        self.assertTrue(pipeline("image-segmentation", model=str(model))(str(file)))

    def test_classes_that_no_pixel_is_of_are_told(self):
        import numpy as np
        from PIL import Image

        root = make_folder(self.home / "binary", 3, 1)
        for path in (root / "masks").iterdir():
            Image.fromarray(np.where(np.asarray(Image.open(path)) == 1, 255, 0).astype(np.uint8)).save(path)
        (root / "classes.txt").write_text("ground\ndisc\n")
        done = self.succeed("prepare", self.masks_config(data={"train_file": str(root), "validation_file": None, "test_file": None}))
        self.assertIn("1 of 2 classes have no pixels to learn from: 'disc'; a mask's 255 is no class", done.err)

    def test_weights_in_bfloat16_predict_what_the_same_numbers_in_float32_do(self):
        from safetensors.torch import load_file, save_file

        for name, widen in (("narrow", False), ("wide", True)):
            shutil.copytree(self.shared / "segformer", self.home / name)
            file = self.home / name / "model.safetensors"
            tensors = {key: value.bfloat16() if value.is_floating_point() else value for key, value in load_file(file).items()}
            save_file({key: value.float() if widen and value.is_floating_point() else value for key, value in tensors.items()}, file, metadata={"format": "pt"})
            self.succeed("predict", self.home / name, "--input", self.shared / "test_masks/images", "--output", self.home / f"{name}.jsonl", "--masks", self.home / f"{name}_masks")
        for path in (self.home / "wide_masks").iterdir():
            self.assertEqual(path.read_bytes(), (self.home / "narrow_masks" / path.name).read_bytes())

    def test_settings_that_do_not_fit_are_told(self):
        self.refuse(78, "data.random_scale", "[0.5, 2.0]", config=self.masks_config(data={"random_scale": [2.0, 0.5]}))
        self.refuse(78, "images are 4 × 4", "segformer", "5 pixels or more; set data.image_size to 5 or more", config=self.masks_config(data={"image_size": 4}))
        self.refuse(78, "it does semantic_segmentation", config=self.images_config(model={"task": "image_classification"}, data={"validation_file": None, "test_file": None}))

    def test_an_encoder_that_was_trained_on_labels_of_pictures_gets_a_new_decode_head(self):
        from safetensors.torch import load_file, save_file

        source = self.shared / "segformer"
        encoder = self.home / "encoder"
        encoder.mkdir()
        tensors = {name: value for name, value in load_file(source / "model.safetensors").items() if name.startswith("segformer.")}
        save_file(tensors, encoder / "model.safetensors")
        config = json.loads((source / "config.json").read_text())
        (encoder / "config.json").write_text(json.dumps({**config, "architectures": ["SegformerForImageClassification"]}))
        done = self.succeed(self.masks_config(model={"model_name_or_path": str(encoder)}, freeze={"all_but_last": 1}, train={"max_steps": 2, "num_train_epochs": None}))
        self.assertIn("newly initialised, not in the weight files: decode_head.", done.err)
        self.assertNotIn("do config.json and the weights belong together", done.err)
        after = load_file(self.run_dir() / "model" / "model.safetensors")
        self.assertTrue(all(after[name].equal(value) for name, value in tensors.items()))

        torn = load_file(source / "model.safetensors")
        torn.pop("decode_head.linear_fuse.weight")
        save_file(torn, encoder / "model.safetensors")
        done = self.succeed(self.masks_config("torn", model={"model_name_or_path": str(encoder)}), "--dry-run")
        self.assertIn("the weight files lack 1 tensors of the model below its head, which start as random numbers: decode_head.linear_fuse.weight", done.err)


if __name__ == "__main__":
    unittest.main()
