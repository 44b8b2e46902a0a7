"""Image classification, from raw images to a model that transformers or torchvision loads."""
import json
import os
import pathlib
import shutil
import unittest

from harness import read_rows
from pictures import CLASSES, PictureRuns, make_images


def make_resnet(directory, layout="transformers", **changes):
    """A random ResNet; torchvision's layout is a state_dict as model.safetensors beside a config in transformers' keys."""
    import torch
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(3)
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    if layout == "transformers":
        config = ResNetConfig(**{**dict(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], layer_type="basic", num_labels=3), **changes})
        ResNetForImageClassification(config).save_pretrained(directory)
    else:
        from safetensors.torch import save_file
        from torchvision.models import resnet18

        save_file(resnet18(num_classes=3).state_dict(), str(pathlib.Path(directory) / "model.safetensors"))
        (pathlib.Path(directory) / "config.json").write_text(json.dumps({"model_type": "resnet", "embedding_size": 64, "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "layer_type": "basic"}))
    return pathlib.Path(directory)


class Images(PictureRuns):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_resnet(cls.shared / "resnet")

    def test_images_that_are_no_data_are_counted(self):
        folder = make_images(self.home / "images", 6, 4)
        shutil.copy(folder / "cold" / "000.jpg", folder / "loose.jpg")
        shutil.copy(folder / "cold" / "000.jpg", folder / "cold" / ".000.jpg")
        (folder / "cold" / "notes.txt").write_text("mine")
        (folder / "cold" / "linked").symlink_to(folder / "warm")
        (folder / "cold" / "lost.png").symlink_to(folder / "nowhere")
        done = self.succeed("prepare", self.images_config(data={"train_file": str(folder), "validation_file": None, "test_file": None}))
        self.assertIn("6 images of 24", done.err)
        self.assertIn("1 files that are not .jpg, .jpeg, .png, .bmp or .webp and 1 images in no class's folder and 1 images that are no files, as links that lead nowhere, and 1 folders that are links and 1 hidden files or folders left alone", done.err)

    def test_pictures_of_rows_and_folders_that_are_renamed_are_prepared_anew(self):
        data = {"validation_file": None, "test_file": None, "on_bad_row": "skip"}
        folder = make_images(self.home / "images", 6, 4)
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
        rows = folder / "rows.csv"
        rows.write_text("image,label\n" + "".join(f"{name},{pathlib.Path(name).parent}\n" for name in names))
        config = self.images_config(data={**data, "train_file": str(rows)})
        (folder / names[0]).rename(self.home / "away.jpg")
        self.assertIn(f"{names[0]}', and there is no such file", self.succeed("prepare", config).err)
        self.assertIn("prepared before", self.succeed("prepare", config).err)
        (folder / names[1]).rename(folder / names[0])
        self.assertIn(f"{names[1]}', and there is no such file", self.succeed("prepare", config).err)

        whole, moved = make_images(self.home / "whole", 6, 4), self.home / "moved"
        self.succeed("prepare", self.images_config(data={**data, "train_file": str(whole)}))
        whole.rename(moved)
        told = self.succeed("prepare", self.images_config(data={**data, "train_file": str(moved)})).err
        self.assertNotIn("prepared before", told)

    def test_a_folder_of_a_class_that_is_not_utf8_is_named_with_a_cure(self):
        folder = make_images(self.home / "images", 6, 4)
        (folder / "cold").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9"))
        self.refuse(79, "/caf\\xe9': the folder's name, which is that of a class, is not valid UTF-8", "convmv", config=self.images_config(data={"train_file": str(folder)}))

    def test_learns_resumes_predicts_and_transformers_agrees(self):
        from sklearn.metrics import accuracy_score, confusion_matrix

        done = self.succeed(self.images_config(train={"num_train_epochs": 10}, data={"crop": "random", "horizontal_flip": True}), ranks=3)
        self.assertIn("images of 24 × 24", done.err)
        self.assertEqual(self.lines(key="tokens_per_second"), {}, "an image has no tokens")
        files = self.files(self.shared / "test")
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        self.assert_same_scores(ours, self.scores_elsewhere(self.run_dir() / "model", self.pixels(files)))
        truth, guesses = [path.parent.name for path in files], [row["label"] for row in ours]
        test = self.summary()["test_metrics"]
        self.assertAlmostEqual(test["accuracy"], accuracy_score(truth, guesses), places=12)
        self.assertEqual(test["details"]["confusion_matrix"], confusion_matrix(truth, guesses, labels=CLASSES).tolist())
        self.assertGreater(test["accuracy"], 0.6)
        self.succeed("predict", self.run_dir(), "--input", self.shared / "test", "--output", self.home / "again.jsonl", ranks=2)
        again = read_rows(self.home / "again.jsonl")
        self.assertEqual([row["image"] for row in again], [str(path) for path in files])
        self.assert_same_scores(again, [row["scores"] for row in ours])

    def assert_served_at_every_size(self, run):
        """The middle of a picture is the same square here and in transformers, where what is left over is odd too."""
        import numpy as np
        import torch
        from PIL import Image
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        odd = self.home / "odd"
        odd.mkdir()
        draw = np.random.default_rng(3)
        for width in range(20, 36):
            Image.fromarray(draw.integers(0, 256, (20, width, 3)).astype(np.uint8)).save(odd / f"{width}.png")
        self.succeed("predict", run, "--input", odd, "--output", self.home / "odd.jsonl", "--logits")
        processor, net = AutoImageProcessor.from_pretrained(run / "model", backend="pil"), AutoModelForImageClassification.from_pretrained(run / "model").eval()
        for row in read_rows(self.home / "odd.jsonl"):
            with torch.no_grad():
                logits = net(**processor(Image.open(row["image"]), return_tensors="pt")).logits[0]
            np.testing.assert_allclose(row["logits"], logits.numpy(), atol=1e-4, err_msg=row["image"])

    def test_random_resized_crops_of_larger_stored_images_with_the_models_interpolation(self):
        import numpy as np
        from PIL import Image

        model = make_resnet(self.home / "net")
        processor = {"image_processor_type": "ConvNextImageProcessor", "resample": 3, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
        (model / "preprocessor_config.json").write_text(json.dumps(processor))
        settings = {"model": {"model_name_or_path": str(model)}, "data": {"crop": "random_resized", "crop_scale": [0.3, 1.0], "image_size": 14, "stored_size": 20, "horizontal_flip": True}, "train": {"max_steps": 12, "global_batch_size": 16, "batch_norm": "frozen"}}
        saves = {"save": {"save_strategy": "steps", "save_steps": 5}}
        done = self.succeed(self.images_config("straight", **settings, **saves), ranks=1)
        self.assertIn("images of 20 × 20", done.err)
        self.assertIn("images of 14 × 14", done.err)
        killed = self.images_config("killed", **settings, **saves)
        self.assertNotEqual(self.run_program(killed, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@8=kill"}).code, 0)
        self.succeed(killed, ranks=3)
        for step, loss in self.lines("straight").items():
            self.assertAlmostEqual(self.lines("killed")[step], loss, places=4)
        files = self.files(self.shared / "test")
        images = np.stack([np.asarray(Image.fromarray(image).resize((14, 14), Image.BICUBIC)) for image in self.pixels(files)])
        self.assert_same_scores(read_rows(self.run_dir("straight") / "predictions.jsonl"), self.scores_elsewhere(self.run_dir("straight") / "model", images))
        self.assertEqual(json.loads((self.run_dir("straight") / "model" / "preprocessor_config.json").read_text())["resample"], 3)
        self.succeed("predict", self.run_dir("straight") / "model", "--input", self.shared / "test", "--output", self.home / "again.jsonl")
        self.assert_same_scores(read_rows(self.home / "again.jsonl"), [row["scores"] for row in read_rows(self.run_dir("straight") / "predictions.jsonl")])
        self.assert_served_at_every_size(self.run_dir("straight"))
        (model / "preprocessor_config.json").write_text(json.dumps({**processor, "resample": 1}))
        self.refuse(78, "resample", "data.interpolation", config=self.images_config(**settings))
        data = settings["data"]
        self.refuse(78, "needs data.image_size", config=self.images_config(**{**settings, "data": {**data, "image_size": 0, "stored_size": 0}}))
        self.refuse(78, "data.stored_size is 10", config=self.images_config(**{**settings, "data": {**data, "stored_size": 10}}))
        self.refuse(78, "data.crop_scale", "[least, most]", config=self.images_config(**{**settings, "data": {**data, "crop_scale": [0.9, 0.1]}}))

    def test_pixels_are_scaled_as_the_models_processor_scales_them(self):
        import torch
        from PIL import Image
        from transformers import AutoImageProcessor, AutoModelForImageClassification, ViTImageProcessor

        model = make_resnet(self.home / "net")
        net, files, seen = AutoModelForImageClassification.from_pretrained(model).eval(), self.files(self.shared / "test")[:5], []
        for changes in ({}, {"do_normalize": False}, {"rescale_factor": 1 / 127.5}, {"do_rescale": False}, {"do_rescale": False, "do_normalize": False}):
            ViTImageProcessor(do_resize=False, image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.3, 0.4], **changes).save_pretrained(model)
            with torch.no_grad():
                pixels = AutoImageProcessor.from_pretrained(model)(Image.open(files[0]).convert("RGB"), return_tensors="pt")["pixel_values"]
                theirs = net(pixels.float()).logits[0].tolist()
            self.succeed("predict", model, "--input", files[0], "--output", self.home / "out.jsonl", "--logits")
            ours = read_rows(self.home / "out.jsonl")[0]["logits"]
            for a, b in zip(ours, theirs, strict=True):
                self.assertAlmostEqual(a, b, delta=1e-4 * max(1, *map(abs, theirs)), msg=str(changes))
            seen.append(tuple(round(logit, 4) for logit in ours))
        self.assertEqual(len(set(seen)), 5, seen)
        done = self.succeed(self.images_config(model={"model_name_or_path": str(model)}, train={"max_steps": 2}), ranks=2)
        self.assertNotIn("says the image_mean", done.err)
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), self.scores_elsewhere(self.run_dir() / "model", self.pixels(self.files(self.shared / "test"))))
        for key, value, wanted in (("do_normalize", "no", "do_normalize is \"no\"; wanted: boolean"), ("rescale_factor", 0, "rescale_factor is 0; wanted: a number above 0")):
            (model / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3, key: value}))
            done = self.run_program("predict", model, "--input", files[0], "--output", self.home / "bad.jsonl")
            self.assertEqual(done.code, 79, done.err)
            self.assertIn(wanted, done.err)

    def test_torchvision_state_dict_comes_in_and_goes_out(self):
        from safetensors.torch import load_file
        from torchvision.models import resnet18

        model = make_resnet(self.home / "net", "torchvision")
        self.succeed(self.images_config(model={"model_name_or_path": str(model)}, train={"max_steps": 3}), ranks=2)
        net = resnet18(num_classes=3)
        net.load_state_dict(load_file(self.run_dir() / "model" / "model.safetensors"))
        files = self.files(self.shared / "test")
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), self.scores_elsewhere(self.run_dir() / "model", self.pixels(files), net))

    def test_vgg_of_torchvision_comes_in_and_goes_out(self):
        import numpy as np
        import torch
        from PIL import Image
        from safetensors.torch import load_file, save_file
        from torchvision.models import vgg

        def net(classes):
            made = vgg.VGG(vgg.make_layers([4, "M", 8, "M", 8, "M", 8, "M", 8, "M"], batch_norm=True), num_classes=classes, dropout=0.0)
            made.classifier[0], made.classifier[3], made.classifier[6] = torch.nn.Linear(8 * 49, 16), torch.nn.Linear(16, 16), torch.nn.Linear(16, classes)
            return made

        torch.manual_seed(5)
        model = self.home / "net"
        model.mkdir()
        save_file({name: value for name, value in net(7).state_dict().items() if not name.startswith("classifier.6")}, str(model / "model.safetensors"))
        (model / "config.json").write_text(json.dumps({"model_type": "vgg", "depths": [1] * 5, "hidden_sizes": [4, 8, 8, 8, 8], "classifier_size": 16, "classifier_dropout": 0.0, "batch_norm": True}))
        settings = {"model": {"model_name_or_path": str(model)}, "train": {"max_steps": 3}, "freeze": {"all_but_last": 2}}
        done = self.run_program(self.images_config(**settings))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("images are 24 × 24, and this model (vgg) takes sides of 32 pixels or more; set data.image_size to 32 or more", done.err)
        self.succeed(self.images_config("large", data={"image_size": 32}, **settings), ranks=2)
        after = load_file(self.run_dir("large") / "model" / "model.safetensors")
        trained = net(3)
        trained.load_state_dict(after)
        images = np.stack([np.asarray(Image.fromarray(image).resize((32, 32), Image.BILINEAR)) for image in self.pixels(self.files(self.shared / "test"))])
        self.assert_same_scores(read_rows(self.run_dir("large") / "predictions.jsonl"), self.scores_elsewhere(self.run_dir("large") / "model", images, trained))
        before = load_file(model / "model.safetensors")
        moved = {name for name in before if not before[name].equal(after[name])}
        self.assertEqual(moved, {"classifier.0.weight", "classifier.0.bias", "classifier.3.weight", "classifier.3.bias"})

    def test_hdf5_under_its_own_names_with_statistics_of_channels(self):
        import h5py

        parts = {}
        for name in ("train", "test"):
            files = self.files(self.shared / name)
            parts[name] = self.pixels(files)
            with h5py.File(self.home / f"{name}.h5", "w") as file:
                file.create_dataset("faces", data=parts[name], compression="gzip", chunks=(4, 24, 7, 2))
                file["who"] = [CLASSES.index(path.parent.name) for path in files]
        data = {"train_file": str(self.home / "train.h5"), "validation_file": None, "test_file": str(self.home / "test.h5"),
                "image_column": "faces", "label_column": "who", "mean": [0.3, 0.4, 0.5], "std": [0.2, 0.25, 0.3]}
        self.refuse(78, "data.std", "three numbers", config=self.images_config(data={**data, "std": [0.5]}))
        done = self.succeed(self.images_config(data=data, train={"num_train_epochs": 2}), ranks=2)
        self.assertNotIn("has no effect", done.err)
        self.assertEqual(json.loads((self.run_dir() / "model" / "preprocessor_config.json").read_text())["image_mean"], [0.3, 0.4, 0.5])
        self.assert_same_scores(read_rows(self.run_dir() / "predictions.jsonl"), self.scores_elsewhere(self.run_dir() / "model", parts["test"]))
        self.succeed("predict", self.run_dir(), "--input", self.home / "test.h5", "--image-column", "faces", "--output", self.home / "again.jsonl", ranks=2)
        again = [{key: value for key, value in row.items() if key != "image"} for row in read_rows(self.home / "again.jsonl")]
        self.assertEqual(again, read_rows(self.run_dir() / "predictions.jsonl"))
        self.refuse(79, "'faces'", "found", config=self.images_config(data={**data, "image_column": "face"}))

    def test_a_size_that_a_models_processor_says_is_warned_of(self):
        from transformers import ConvNextImageProcessor

        model, image = make_resnet(self.home / "net"), self.files(self.shared / "test")[0]
        for changes, wanted in (({}, 'says size {"shortest_edge":224}, crop_pct 0.875, which is not done here'), ({"do_resize": False}, None)):
            ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875, resample=3, **changes).save_pretrained(model)
            done = self.succeed("predict", model, "--input", image, "--output", self.home / "out.jsonl")
            self.assertIn(wanted, done.err) if wanted else self.assertNotIn("is not done here", done.err)

    def test_a_column_that_folders_do_not_have_is_told(self):
        done = self.succeed("prepare", self.images_config(data={"label_column": "who"}))
        self.assertIn("data.label_column names a dataset of an HDF5 file", done.err)

    def test_synchronized_norms_make_ranks_one_batch(self):
        for ranks in (1, 3):
            self.succeed(self.images_config(f"r{ranks}", model={"dtype": "float64"}, train={"num_train_epochs": 2, "global_batch_size": 10}, data={"crop": "random"}), ranks=ranks)
        for key in ("loss", "grad_norm", "eval_loss"):
            expected, actual = self.lines("r1", key), self.lines("r3", key)
            self.assertEqual(list(expected), list(actual))
            for step, value in expected.items():
                self.assertAlmostEqual(actual[step], value, delta=1e-9 * max(1, abs(value)))

    def test_resumes_to_the_bit_with_norms_of_each_rank(self):
        for mode in ("local", "synchronized"):
            train = {"max_steps": 12, "batch_norm": mode}
            self.succeed(self.images_config(f"whole_{mode}", train=train), ranks=2)
            done = self.signal_at_step(self.images_config(f"cut_{mode}", train=train), 5, name=f"cut_{mode}", ranks=2)
            self.assertEqual(self.exit_status(f"cut_{mode}"), 75, done.err)
            self.succeed(self.images_config(f"cut_{mode}", train=train), ranks=2)
            self.assertEqual(self.weights(f"whole_{mode}"), self.weights(f"cut_{mode}"), mode)

    def test_frozen_trunk_keeps_every_byte_statistics_too(self):
        from safetensors import safe_open

        self.succeed(self.images_config(freeze={"all_but_last": 0}), ranks=2)
        before = safe_open(self.shared / "resnet" / "model.safetensors", "np")
        after = safe_open(self.run_dir() / "model" / "model.safetensors", "np")
        self.assertEqual(sorted(before.keys()), sorted(after.keys()))
        for name in before.keys():
            if not name.startswith("classifier."):
                self.assertEqual(before.get_tensor(name).tobytes(), after.get_tensor(name).tobytes(), name)
        self.assertEqual(self.summary()["trained_parameters"], 16 * 3 + 3)
        self.succeed(self.images_config("moving", freeze={"all_but_last": 0, "freeze_batch_norm_statistics": False}), ranks=2)
        moved = safe_open(self.run_dir("moving") / "model" / "model.safetensors", "np")
        name = "resnet.embedder.embedder.normalization.running_mean"
        self.assertNotEqual(before.get_tensor(name).tobytes(), moved.get_tensor(name).tobytes())

    def broken(self):
        copy = self.home / "images"
        shutil.copytree(self.shared / "train", copy)
        return copy, self.images_config(data={"train_file": str(copy), "validation_file": None, "test_file": None})

    def test_bad_images_are_named(self):
        from PIL import Image

        copy, config = self.broken()
        path = copy / "cold" / "000.jpg"
        whole = path.read_bytes()
        path.write_bytes(whole[:300])
        self.refuse(79, "cold/000.jpg", "damaged JPEG", config=config)
        done = self.succeed(self.images_config("skipping", data={"train_file": str(copy), "validation_file": None, "test_file": None, "on_bad_row": "skip"}))
        self.assertIn("1 bad rows left out", done.err)
        path.unlink()
        Image.new("RGB", (24, 30)).save(copy / "warm" / "zzz.png")
        self.refuse(79, "zzz.png", "30 × 24", "image_size", config=config)
        (copy / "warm" / "zzz.png").unlink()
        Image.new("I;16", (24, 24)).save(copy / "warm" / "deep.png")
        self.refuse(79, "deep.png", "16 bits", config=config)
        (copy / "warm" / "deep.png").unlink()
        Image.new("L", (24, 24), 99).save(copy / "warm" / "grey.png")
        self.assertIn("1 grey images made RGB", self.succeed(self.images_config("grey", data={"train_file": str(copy), "validation_file": None, "test_file": None}, train={"max_steps": 1})).err)
        (copy / "new").mkdir()
        self.refuse(79, "new", "without images", config=config)
        whole = self.home / "whole"
        for split in ("train", "test"):
            shutil.copytree(self.shared / "test", whole / split)
        self.refuse(79, "its folders are the splits test, train", "data.train_file", config=self.images_config(data={"train_file": str(whole), "validation_file": None, "test_file": None}))
        listed = self.home / "listed"
        listed.mkdir()
        (listed / "metadata.csv").write_text("file_name,label\na.png,cold\n")
        self.refuse(79, "its metadata.csv", config=self.images_config(data={"train_file": str(listed), "validation_file": None, "test_file": None}))

    def test_cifar_files_of_the_wrong_size_and_label(self):
        path = self.home / "data_batch_1.bin"
        config = self.images_config(data={"train_file": str(path), "validation_file": None, "test_file": None})
        path.write_bytes(b"\1" * 3072)
        self.refuse(79, "3073 bytes", config=config)
        path.write_bytes(b"\1" * 3073 + b"\13" * 3073)
        self.refuse(79, "image 1", "label 11", config=config)

    def test_texts_and_images_are_not_mixed(self):
        self.refuse(78, "takes texts", config=self.images_config(model={"model_name_or_path": str(self.shared / "model")}))


if __name__ == "__main__":
    unittest.main()
