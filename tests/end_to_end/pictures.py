"""Pictures in folders by class, and runs on them."""
import base64
import io
import json
import pathlib
import re

from harness import EndToEnd

CLASSES = ["cold", "green", "warm"]


def make_images(root, count, seed, side=24):
    """Folders by class: which colour is the brightest, under noise; JPEG and PNG, some of them grey."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(seed)
    for number in range(count):
        label = number % 3
        pixels = draw.integers(0, 160, (side, side, 3))
        pixels[..., 2 - label] += 70
        folder = pathlib.Path(root) / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(pixels.astype(np.uint8))
        image.save(folder / f"{number:03}.{'png' if number % 2 else 'jpg'}")
    return pathlib.Path(root)


class PictureRuns(EndToEnd):
    """`model`: the directory of what trains, in the shared folder."""

    model = "resnet"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, count, seed in (("train", 66, 1), ("validation", 31, 2), ("test", 25, 3)):
            make_images(cls.shared / name, count, seed)

    def images_config(self, name="run", **sections):
        values = {"model": {"model_name_or_path": str(self.shared / self.model), "task": "image_classification"},
                  "data": {"train_file": str(self.shared / "train"), "validation_file": str(self.shared / "validation"), "test_file": str(self.shared / "test"), "max_length": None},
                  "optim": {"optim": "sgd", "momentum": 0.9, "learning_rate": 0.05}}
        for section, keys in sections.items():
            values.setdefault(section, {}).update(keys)
        return self.config(name, **values)

    def gallery(self, name="run"):
        """The pictures in a run's report, as [height, width, 3] by the name of the file, and their captions."""
        import numpy as np
        from PIL import Image

        page = (self.run_dir(name) / "report.html").read_text(encoding="utf-8")
        figures = re.findall(r'<figure><img alt="" src="data:image/png;base64,([^"]+)"><figcaption title="([^"]+)">(.*?)</figcaption>', page)
        return {path: (np.asarray(Image.open(io.BytesIO(base64.b64decode(png, validate=True)))).astype(int), caption) for png, path, caption in figures}

    def pixels(self, files):
        import numpy as np
        from PIL import Image

        return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in files])

    def scores_elsewhere(self, directory, images, net=None):
        import torch

        config = json.loads((directory / "config.json").read_text())
        x = (torch.tensor(images).permute(0, 3, 1, 2) / 255 - torch.tensor(config["image_mean"]).view(1, 3, 1, 1)) / torch.tensor(config["image_std"]).view(1, 3, 1, 1)
        with torch.no_grad():
            if net is None:
                from transformers import AutoModelForImageClassification

                logits = AutoModelForImageClassification.from_pretrained(directory).eval()(x.float()).logits
            else:
                logits = net.eval()(x.float())
        return [{config["id2label"][str(i)]: p for i, p in enumerate(row)} for row in torch.softmax(logits, -1).tolist()]

    def assert_same_scores(self, ours, theirs):
        self.assertEqual(len(ours), len(theirs))
        for mine, reference in zip(ours, theirs):
            for name, score in reference.items():
                self.assertAlmostEqual(mine["scores"][name], score, delta=2e-5)

    def files(self, folder):
        return sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))

    def refuse(self, code, *wanted, config):
        done = self.run_program(config, ranks=2)
        errors = [line for line in done.err.splitlines() if "error:" in line]
        self.assertEqual(len(errors), 1, done.err)
        for word in wanted:
            self.assertIn(word, errors[0])
        self.assertEqual(self.exit_status() if (self.run_dir() / "exit_status").exists() else done.code, code, done.err)
