"""predict --explain of pictures, against autograd through transformers' and torchvision's models; where captum (0.9) is installed, against captum too."""
import importlib.util
import json
import unittest

from harness import EndToEnd, make_model, read_rows, write_rows
from pictures import make_images

if importlib.util.find_spec("captum") is None:
    print("captum is missing, so it was not compared with", flush=True)
from test_images import make_resnet
from test_patches import make_vit

SIDE = 32


class Reference:
    """The network as others load it, of pixels as they scale them: 0 is the colour image_mean."""

    def __init__(self, directory, net):
        import torch

        self.net, config = net.eval(), json.loads((directory / "config.json").read_text())
        self.names = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
        self.channels = config.get("num_channels", 3)
        self.mean, self.std = ((torch.tensor(config[key], dtype=torch.float64) if key in config else torch.full((self.channels,), 0.5, dtype=torch.float64)).view(1, -1, 1, 1) for key in ("image_mean", "image_std"))
        self.side = config.get("patch_size") or -(-SIDE // 14)

    def scaled(self, path):
        import numpy
        import torch
        from PIL import Image

        pixels = torch.tensor(numpy.asarray(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].double()
        return ((pixels if self.channels == 3 else pixels[:, :1]) / 255 - self.mean) / self.std

    def logits(self, x):
        out = self.net(x)
        return out if not hasattr(out, "logits") else out.logits

    def slope(self, x, label):
        import torch

        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(self.logits(leaf)[0, label], leaf)[0]

    def over_cells(self, of_pixels):
        """[channels, side, side] → sums over cells, cut off at the right and lower edge."""
        summed = of_pixels.sum(0)
        starts = range(0, SIDE, self.side)
        return [[summed[top:top + self.side, left:left + self.side].sum().item() for left in starts] for top in starts]

    def gradient(self, x, label):
        return self.over_cells((x * self.slope(x, label))[0])

    def integrated(self, x, label):
        import numpy

        places, weights = numpy.polynomial.legendre.leggauss(32)
        return self.over_cells((x * sum(weight / 2 * self.slope((1 + place) / 2 * x, label) for place, weight in zip(places, weights)))[0])

    def probability(self, x):
        import torch

        return torch.softmax(self.logits(x), -1)

    def occlusion(self, x, label):
        import torch

        starts, rows = range(0, SIDE, self.side), []
        with torch.no_grad():
            whole = self.probability(x)[0, label].item()
            for top in starts:
                rows.append([])
                for left in starts:
                    hidden = x.clone()
                    hidden[:, :, top:top + self.side, left:left + self.side] = 0
                    rows[-1].append(whole - self.probability(hidden)[0, label].item())
        return rows

    def captum(self, x, label):
        """{way: scores}, by the library; none where it is missing."""
        if importlib.util.find_spec("captum") is None:
            return {}
        from captum.attr import InputXGradient, IntegratedGradients, Occlusion

        window = (self.channels, self.side, self.side)
        # Occlusion gives every pixel its window's score: the first of each window tells it.
        hidden = Occlusion(self.probability).attribute(x, window, strides=window, target=label, baselines=0)[0, 0]
        return {"gradient": self.over_cells(InputXGradient(self.logits).attribute(x.clone().requires_grad_(), target=label)[0].detach()),
                "integrated": self.over_cells(IntegratedGradients(self.logits).attribute(x, baselines=0.0, target=label, n_steps=32)[0].detach()),
                "occlusion": hidden[::self.side, ::self.side].tolist()}


def make_vgg(directory):
    import torch
    from safetensors.torch import save_file
    from torchvision.models import vgg

    torch.manual_seed(3)
    made = vgg.VGG(vgg.make_layers([4, "M", 8, "M", 8, "M", 8, "M", 8, "M"], batch_norm=True), num_classes=3, dropout=0.0)
    made.avgpool = torch.nn.AdaptiveAvgPool2d((7, 7))
    made.classifier[0], made.classifier[3], made.classifier[6] = torch.nn.Linear(8 * 49, 16), torch.nn.Linear(16, 16), torch.nn.Linear(16, 3)
    directory.mkdir()
    save_file(made.state_dict(), str(directory / "model.safetensors"))
    names = {str(i): name for i, name in enumerate("abc")}
    (directory / "config.json").write_text(json.dumps({"model_type": "vgg", "architectures": ["VGG"], "depths": [1] * 5, "hidden_sizes": [4, 8, 8, 8, 8], "classifier_size": 16, "classifier_dropout": 0.0, "batch_norm": True,
                                                       "id2label": names, "label2id": {name: i for i, name in names.items()}, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}))
    return made


def grey_pictures(folder):
    """Red, green and blue are equal, so that the grey of them needs no rounding."""
    import numpy
    from PIL import Image

    for path in [*folder.rglob("*.png"), *folder.rglob("*.jpg")]:
        grey = Image.open(path).convert("L").convert("RGB")
        path.unlink()
        Image.fromarray(numpy.asarray(grey)).save(path.with_suffix(".png"))


class ExplainPictures(EndToEnd):
    def explained(self, model, way, *options, ranks=1, pictures="pictures", name="out"):
        self.succeed("predict", model, "--input", self.home / pictures, "--output", self.home / f"{name}.jsonl", "--explain", way, *options, ranks=ranks)
        return read_rows(self.home / f"{name}.jsonl")

    def assert_near(self, ours, theirs, relative):
        scale = max(abs(score) for row in theirs for score in row)
        self.assertGreater(scale, 0)
        self.assertEqual([len(row) for row in ours], [len(row) for row in theirs])
        for mine, reference in zip(ours, theirs):
            for a, b in zip(mine, reference):
                self.assertAlmostEqual(a, b, delta=relative * scale)

    def models(self):
        from transformers import AutoModelForImageClassification

        make_vit(self.home / "vit", image_size=SIDE)
        make_vit(self.home / "grey", image_size=SIDE, num_channels=1)
        make_resnet(self.home / "resnet")
        pixels = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
        config = json.loads((self.home / "resnet" / "config.json").read_text())
        (self.home / "resnet" / "config.json").write_text(json.dumps({**config, **pixels}))
        for family in ("vit", "grey", "resnet"):
            yield family, AutoModelForImageClassification.from_pretrained(self.home / family)
        yield "vgg", make_vgg(self.home / "vgg")

    def test_each_way_is_autograds_through_transformers_and_torchvisions_models(self):
        make_images(self.home / "pictures", 3, 5, side=SIDE)
        make_images(self.home / "greys", 3, 5, side=SIDE)
        grey_pictures(self.home / "greys")
        for family, net in self.models():
            reference = Reference(self.home / family, net.double())
            pictures = "greys" if family == "grey" else "pictures"
            for way in ("gradient", "integrated", "occlusion"):
                for row in self.explained(self.home / family, way, pictures=pictures):
                    with self.subTest(family=family, way=way, image=row["image"]):
                        told, x, label = row["explanation"], reference.scaled(row["image"]), reference.names.index(row["label"])
                        self.assertEqual((told["by"], told["cell_pixels"]), (way, reference.side))
                        self.assert_near(told["scores"], getattr(reference, way)(x, label), 2e-3)
                        if way in (theirs := reference.captum(x, label)):
                            self.assert_near(told["scores"], theirs[way], 2e-3)
                        strongest = told["strongest"]
                        self.assertEqual(strongest["score"], max(max(row) for row in told["scores"]))
                        self.assertEqual(strongest["score"], told["scores"][strongest["top"] // reference.side][strongest["left"] // reference.side])
                        if way == "integrated":  # completeness: the scores are the logit less that of the blank picture
                            rise = (reference.logits(x) - reference.logits(0 * x))[0, label].item()
                            total = sum(map(sum, told["scores"]))
                            self.assertAlmostEqual(total - rise, told["convergence_delta"], delta=1e-4)
                            self.assertLess(abs(told["convergence_delta"]), 0.01 * max(abs(rise), 1))

    def test_the_label_that_a_tuned_threshold_gives_is_explained(self):
        from transformers import AutoModelForImageClassification

        make_images(self.home / "pictures", 3, 5, side=SIDE)
        make_vit(self.home / "vit", image_size=SIDE, num_labels=2)
        path = self.home / "vit" / "config.json"
        config = {**json.loads(path.read_text()), "id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}}
        net, guesses = AutoModelForImageClassification.from_pretrained(self.home / "vit").double(), []
        for threshold in (0.0, 1.0):
            path.write_text(json.dumps({**config, "sft_dist_thresholds": {"yes": threshold}}))
            reference = Reference(self.home / "vit", net)
            for way in ("gradient", "integrated", "occlusion"):
                for row in self.explained(self.home / "vit", way):
                    label = int(threshold == 0)
                    self.assertEqual(row["label"], ["no", "yes"][label])
                    guesses.append(row["score"])
                    self.assert_near(row["explanation"]["scores"], getattr(reference, way)(reference.scaled(row["image"]), label), 2e-3)
        self.assertTrue(any(score < 0.5 for score in guesses), "the likelier label is another one")

    def test_heat_maps_show_the_picture_under_the_scores_on_any_number_of_ranks(self):
        import numpy
        from PIL import Image

        make_images(self.home / "pictures", 4, 6, side=SIDE)
        model = make_vit(self.home / "vit", image_size=SIDE)
        one = self.explained(model, "gradient", "--heat-maps", self.home / "one", name="one")
        two = self.explained(model, "gradient", "--heat-maps", self.home / "two", ranks=2, name="two")
        for a, b in zip(one, two, strict=True):
            self.assertEqual(a["image"], b["image"])
            maps = [numpy.asarray(Image.open(row["explanation"]["heat_map"])).astype(int) for row in (a, b)]
            self.assertLessEqual(numpy.abs(maps[0] - maps[1]).max(), 1)
            times = 224 // SIDE
            self.assertEqual(maps[0].shape, (SIDE * times, SIDE * times, 3))
            scores = numpy.repeat(numpy.repeat(numpy.array(a["explanation"]["scores"]), 8 * times, 0), 8 * times, 1)
            grey = numpy.asarray(Image.open(a["image"]).convert("L")).astype(int).repeat(times, 0).repeat(times, 1)
            share = (0.75 * numpy.abs(scores) / numpy.abs(scores).max())[..., None]
            colour = numpy.where((scores > 0)[..., None], (214, 39, 40), (31, 119, 180))
            self.assertLessEqual(numpy.abs(maps[0] - ((1 - share) * grey[..., None] + share * colour)).max(), 2)
        self.assertEqual(len(list((self.home / "one").iterdir())), 4)

    def test_what_has_no_one_label_or_no_pictures_is_refused(self):
        write_rows(self.home / "rows.jsonl", [{"text": "word1"}])
        options = ["predict", make_model(self.home / "texts"), "--input", self.home / "rows.jsonl", "--output", self.home / "out.jsonl", "--heat-maps", self.home / "maps"]
        done = self.run_program(*options)
        self.assertEqual(done.code, 2, done.err)
        self.assertIn("--heat-maps shows explanations; say --explain too", done.err)
        done = self.run_program(*options, "--explain", "gradient")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("--heat-maps is of pictures, and this model (bert) is for text_classification", done.err)
        self.assertFalse((self.home / "maps").exists())


if __name__ == "__main__":
    unittest.main()
