"""Object detection from COCO's files to a model that transformers loads."""
import contextlib
import io
import json
import unittest

from harness import read_rows
from pictures import PictureRuns

try:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
except ImportError:
    COCO = None

NAMES = ["bar", "disc"]
IDS = {"bar": 3, "disc": 7}  # of COCO's categories, which have gaps
ADAM = {"optim": "adamw", "momentum": 0.0, "learning_rate": 1e-3}
MEAN, STD = [0.4, 0.6, 0.2], [0.25, 0.25, 0.25]  # whole pixels, so that what is padded is 0 in transformers too
SIDE = 32


def make_yolos(directory, **changes):
    import torch
    from transformers import YolosConfig, YolosForObjectDetection

    torch.manual_seed(3)
    shape = dict(hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64, image_size=[24, 40], patch_size=8, num_detection_tokens=8, num_labels=2)
    net = YolosForObjectDetection(YolosConfig(**{**shape, **changes}))
    with torch.no_grad():
        for value in net.parameters():
            if value.dim() > 1:
                value.copy_(torch.randn_like(value) * 0.1)
    net.save_pretrained(directory)
    (directory / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": "YolosImageProcessor", "image_mean": MEAN, "image_std": STD}))


def make_coco(root, count, seed):
    """Reddish discs and bluish bars on noise, in pictures of two sizes; some have neither, and some discs are a crowd."""
    import numpy as np
    from PIL import Image

    images, annotations = [], []
    (root / "images").mkdir(parents=True)
    for number in range(count):
        draw = np.random.default_rng(1000 * seed + number)
        height, width = (SIDE, 24) if number % 3 == 0 else (SIDE, SIDE)
        y, x = np.mgrid[:height, :width]
        pixels = draw.integers(0, 120, (height, width, 3))
        for name in draw.permutation(NAMES)[:draw.integers(0 if number % 5 == 0 else 1, 3)]:
            if name == "disc":
                radius = int(draw.integers(4, 8))
                top, left = int(draw.integers(radius, height - radius)), int(draw.integers(radius, width - radius))
                inside = np.hypot(y - top, x - left) < radius
            else:
                top, left, high = int(draw.integers(0, height - 8)), int(draw.integers(0, width - 16)), int(draw.integers(4, 8))
                inside = (y >= top) & (y < top + high) & (x >= left) & (x < left + 15)
            pixels[inside, 0 if name == "disc" else 2] += 130
            rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
            box = [int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)]
            annotations.append({"id": len(annotations) + 1, "image_id": number + 10, "category_id": IDS[name], "bbox": box, "area": float(inside.sum()), "iscrowd": int(name == "disc" and number % 7 == 3)})
        images.append({"id": number + 10, "file_name": f"{number:03}.png", "height": height, "width": width})
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / "images" / f"{number:03}.png")
    file = root / "annotations.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [{"id": IDS[name], "name": name} for name in NAMES]}))
    return file


class Detection(PictureRuns):
    model = "yolos"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_yolos(cls.shared / "yolos")
        for name, count, seed in (("train_boxes", 48, 1), ("validation_boxes", 11, 2), ("test_boxes", 13, 3)):
            make_coco(cls.shared / name, count, seed)

    def boxes_config(self, name="run", **sections):
        data = {**{f"{split}_file": str(self.shared / f"{split}_boxes/annotations.json") for split in ("train", "validation", "test")}, "image_size": SIDE}
        values = {"model": {"task": "object_detection"}, "data": data, "optim": dict(ADAM), "train": {"num_train_epochs": 60, "global_batch_size": 8}, "eval": {"eval_strategy": "no"}, "save": {"save_strategy": "no"}}
        for section, keys in sections.items():
            values.setdefault(section, {}).update(keys)
        return self.images_config(name, **values)

    def few(self, **sections):
        return self.boxes_config(**{"train": {"max_steps": 2, "num_train_epochs": None}, **sections})

    def by_transformers(self, directory, threshold):
        """What the model's directory alone finds in the test pictures: post_process_object_detection()'s dictionaries."""
        import torch
        from PIL import Image
        from transformers import AutoImageProcessor, AutoModelForObjectDetection

        processor, net = AutoImageProcessor.from_pretrained(directory), AutoModelForObjectDetection.from_pretrained(directory).eval()
        found = []
        for path in self.files(self.shared / "test_boxes"):
            image = Image.open(path).convert("RGB")
            with torch.no_grad():
                out = net(processor(image, return_tensors="pt").pixel_values)
            side = max(image.size)
            found += processor.post_process_object_detection(out, threshold=threshold, target_sizes=[(side, side)])
        return net, found

    def check_reference(self, rows):
        """Predictions of labelled pictures have what is there beside them, and the report draws both."""
        told = json.loads((self.shared / "test_boxes/annotations.json").read_text())
        names = {number: name for name, number in IDS.items()}
        for row, image in zip(rows, told["images"]):
            true = [(names[one["category_id"]], [*one["bbox"][:2], one["bbox"][0] + one["bbox"][2], one["bbox"][1] + one["bbox"][3]]) for one in told["annotations"] if one["image_id"] == image["id"]]
            self.assertEqual([(one["label"], one["box"]) for one in row["reference"]], true)
        gallery = self.gallery()
        self.assertEqual(len(gallery), 12)
        self.assertLessEqual(set(gallery), {row["image"] for row in rows})
        for row in rows:
            if row["image"] not in gallery:
                continue
            pixels, caption = gallery[row["image"]]
            self.assertEqual(list(pixels.shape), [row["height"], row["width"], 3])
            for name in NAMES:
                self.assertEqual(f"</i>{name}" in caption, any(one["label"] == name for one in row["objects"]), row)
            for one in row["reference"]:
                left, top = (int(corner) for corner in one["box"][:2])
                self.assertEqual(pixels[top, left].tolist(), [255, 255, 255], one)

    def test_learns_on_two_ranks_and_finds_what_the_exported_model_finds_in_transformers(self):
        config = self.boxes_config(data={"horizontal_flip": True}, eval={"threshold": 0.05})
        done = self.succeed(config, ranks=2)
        self.assertNotIn("has no effect", done.err)
        test = self.summary()["test_metrics"]
        self.assertLess(test["loss"], 0.75 * self.lines()[1], test)
        for name in ("loss_ce", "loss_bbox", "loss_giou"):
            self.assertGreater(test[name], 0)
        self.assertAlmostEqual(test["loss"], test["loss_ce"] + 5 * test["loss_bbox"] + 2 * test["loss_giou"], delta=1e-9)
        self.assertGreater(test["map"], 0, test)
        net, found = self.by_transformers(self.run_dir() / "model", 0.05)
        self.assertEqual(type(net).__name__, "YolosForObjectDetection")
        self.assertEqual(net.config.id2label, dict(enumerate(NAMES)))
        self.assertEqual(list(net.config.image_size), [24, 40])
        rows = read_rows(self.run_dir() / "predictions.jsonl")
        self.assertEqual([row["image"] for row in rows], [str(path) for path in self.files(self.shared / "test_boxes")])
        self.check_objects(rows, found)
        self.assertGreater(sum(len(row["objects"]) for row in rows), 10)
        by_run = json.loads(self.succeed("evaluate", self.run_dir(), "--split", "test", ranks=3).out)
        by_file = json.loads(self.succeed("evaluate", config, "--split", "test").out)
        self.assertAlmostEqual(by_file["eval_loss"], by_run["eval_loss"], delta=1e-5)
        drawn = self.home / "drawn"
        self.succeed("predict", self.run_dir(), "--input", self.shared / "test_boxes/images", "--output", self.home / "again.jsonl", "--boxes", drawn, ranks=2)
        self.check_objects(read_rows(self.home / "again.jsonl"), found)
        self.assertEqual(len(list(drawn.iterdir())), len(rows))
        self.assertFalse(any("reference" in row for row in read_rows(self.home / "again.jsonl")))
        self.check_reference(rows)
        self.check_average_precision(test)

    def check_objects(self, rows, found):
        for row, of in zip(rows, found, strict=True):
            best = of["scores"].argsort(descending=True)
            self.assertEqual([one["label"] for one in row["objects"]], [NAMES[label] for label in of["labels"][best].tolist()])
            for one, score, box in zip(row["objects"], of["scores"][best].tolist(), of["boxes"][best].tolist()):
                self.assertAlmostEqual(one["score"], score, delta=1e-5)
                for mine, theirs in zip(one["box"], box):
                    self.assertAlmostEqual(mine, theirs, delta=1e-3)

    def check_average_precision(self, test):
        if COCO is None:
            self.skipTest("pycocotools is missing, so average precision was not compared (tools/setup.sh test brings it)")
        _, found = self.by_transformers(self.run_dir() / "model", -1.0)
        results = []
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(str(self.shared / "test_boxes/annotations.json"))
            for image, of in enumerate(found):
                for score, label, (left, top, right, bottom) in zip(of["scores"].tolist(), of["labels"].tolist(), of["boxes"].tolist()):
                    results.append({"image_id": image + 10, "category_id": IDS[NAMES[label]], "score": score, "bbox": [left, top, right - left, bottom - top]})
            judge = COCOeval(truth, truth.loadRes(results), "bbox")
            judge.evaluate()
            judge.accumulate()
            judge.summarize()
        for name, value in zip(("map", "map_50", "map_75", "map_small", "map_medium", "map_large", "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"), judge.stats):
            if value >= 0:  # −1: there is no such object
                self.assertAlmostEqual(test[name], value, delta=1e-6, msg=name)

    def test_a_killed_run_goes_on_on_another_world(self):
        settings = {"train": {"max_steps": 8}, "data": {"horizontal_flip": True}, "save": {"save_strategy": "steps", "save_steps": 3}}
        self.succeed(self.boxes_config("whole", **settings))
        config = self.boxes_config("killed", **settings, top={"overwrite_output_dir": True})
        self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "trainer.step@5=kill"}).code, 0)
        self.assertIn("resumed from", self.succeed(config, ranks=3).err)
        for step, loss in self.lines("whole").items():
            self.assertAlmostEqual(self.lines("killed")[step], loss, delta=1e-4)
        self.assertAlmostEqual(self.summary("whole")["test_metrics"]["loss"], self.summary("killed")["test_metrics"]["loss"], delta=1e-4)

    def test_another_number_of_classes_gets_a_new_layer_and_keeps_the_box_head_and_a_frozen_trunk(self):
        from safetensors.torch import load_file

        make_yolos(self.home / "five", num_labels=5, num_detection_tokens=2)
        before = load_file(self.home / "five" / "model.safetensors")
        settings = {"model": {"model_name_or_path": str(self.home / "five")}, "freeze": {"all_but_last": 0}, "train": {"max_steps": 2, "num_train_epochs": None}, "optim": {"learning_rate": 1e-6}}
        self.refuse(79, "class_labels_classifier.layers.2", "model.ignore_mismatched_sizes", config=self.boxes_config(**settings))
        settings["model"]["ignore_mismatched_sizes"] = True
        done = self.succeed(self.boxes_config(**settings), ranks=2)
        self.assertIn("newly initialised, of another shape: class_labels_classifier.layers.2.weight [6, 32] in the file, [3, 32] in the model", done.err)
        after = load_file(self.run_dir() / "model" / "model.safetensors")
        self.assertEqual(set(before), set(after))
        for name, value in before.items():
            if name.startswith("vit."):
                self.assertTrue(value.equal(after[name]), name)
            elif not name.startswith("class_labels_classifier.layers.2"):
                self.assertLess((value - after[name]).abs().max().item(), 1e-4, name)

    def test_pictures_with_more_boxes_than_tokens_are_told(self):
        make_yolos(self.home / "one", num_detection_tokens=1)
        done = self.succeed(self.few(model={"model_name_or_path": str(self.home / "one")}))
        self.assertIn("training images have more boxes than the model has detection tokens, 1", done.err)

    def test_files_that_are_renamed_are_prepared_anew(self):
        import numpy as np
        from PIL import Image

        def refreshed(form, first, second, train_file):
            """Of two files of which the first is away, the second takes the place of the first."""
            config = self.boxes_config(data={"train_file": str(train_file), "validation_file": None, "test_file": None, "on_bad_row": "skip"})
            first.unlink()
            self.succeed("prepare", config)
            with self.subTest(form):
                self.assertIn("prepared before", self.succeed("prepare", config).err)
                second.rename(first)
                self.assertNotIn("prepared before", self.succeed("prepare", config).err)

        def picture(path, seed):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)).save(path)

        coco = make_coco(self.home / "coco", 5, 7)
        refreshed("COCO", coco.parent / "images/001.png", coco.parent / "images/002.png", coco)
        for number in range(4):
            picture(self.home / f"voc/JPEGImages/{number}.png", number)
            picture(self.home / f"yolo/images/{number}.png", number)
            for path, text in ((f"voc/Annotations/{number}.xml", f"<annotation><object><name>{NAMES[number % 2]}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{number + 9}</xmax><ymax>9</ymax></bndbox></object></annotation>"),
                               (f"yolo/labels/{number}.txt", f"{number % 2} 0.5 0.5 0.{number + 1} 0.2\n")):
                (self.home / path).parent.mkdir(exist_ok=True)
                (self.home / path).write_text(text)
        (self.home / "voc/ImageSets/Main").mkdir(parents=True)
        (self.home / "voc/ImageSets/Main/train.txt").write_text("0\n1\n2\n3\n")
        refreshed("VOC", self.home / "voc/Annotations/1.xml", self.home / "voc/Annotations/2.xml", self.home / "voc")
        refreshed("YOLO", self.home / "yolo/labels/2.txt", self.home / "yolo/labels/3.txt", self.home / "yolo")

    def test_a_class_whose_boxes_are_all_crowds_has_none_to_learn_from(self):
        coco = make_coco(self.home / "coco", 5, 7)
        told = json.loads(coco.read_text())
        crowds = {**told, "annotations": [{**one, "iscrowd": int(one["category_id"] == IDS["disc"])} for one in told["annotations"]]}
        (coco.parent / "crowds.json").write_text(json.dumps(crowds))
        done = self.succeed("prepare", self.boxes_config(data={"train_file": str(coco.parent / "crowds.json"), "validation_file": None, "test_file": None}))
        self.assertIn("1 of 2 classes have no boxes to learn from: 'disc'", done.err)

    def test_names_of_classes_that_are_not_utf8_are_refused_alike(self):
        from PIL import Image

        for folder in ("voc/JPEGImages", "voc/Annotations", "yolo/images", "yolo/labels"):
            (self.home / folder).mkdir(parents=True)
        for folder in ("voc/JPEGImages", "yolo/images"):
            Image.new("RGB", (SIDE, SIDE)).save(self.home / folder / "0.png")
        name = b"caf\xe9"
        (self.home / "voc/Annotations/0.xml").write_bytes(b"<annotation><object><name>" + name + b"</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>")
        (self.home / "yolo/labels/0.txt").write_text("1 0.5 0.5 0.2 0.2\n")
        (self.home / "yolo/data.yaml").write_bytes(b"names: [tea, " + name + b"]\n")
        coco = make_coco(self.home / "coco", 2, 7)
        coco.write_bytes(coco.read_bytes().replace(b'"name": "disc"', b'"name": "' + name + b'"'))
        for path, place in (("voc", "0.xml:1: <name> is"), ("yolo", "data.yaml:1: names: class 1 is"), ("coco/annotations.json", "the item that begins here is")):
            with self.subTest(path):
                self.refuse(79, place, "not valid UTF-8; iconv", config=self.boxes_config(data={"train_file": str(self.home / path)}))

    def test_settings_that_do_not_fit_are_told(self):
        self.refuse(78, "data.image_size is 36", "multiple of 8, as 40", config=self.few(data={"image_size": 36}))
        self.refuse(78, "auxiliary_loss", config=self.few(model={"config.auxiliary_loss": True}))
        self.refuse(78, "eos_coefficient", "0 or more", config=self.few(model={"config.eos_coefficient": -1}))
        self.refuse(78, "image_size", "multiples of patch_size", config=self.few(model={"config.image_size": [20, 44]}))
        self.refuse(78, "it does object_detection", config=self.images_config(model={"task": "image_classification"}, data={"validation_file": None, "test_file": None}))
        model = self.home / "vit"
        model.mkdir()
        (model / "config.json").write_text(json.dumps({"model_type": "vit", "image_size": 32, "patch_size": 8, "hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}))
        self.refuse(78, "detection tokens", "'vit'", config=self.few(model={"model_name_or_path": str(model), "init": "random"}))


if __name__ == "__main__":
    unittest.main()
