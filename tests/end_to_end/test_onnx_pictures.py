"""export --onnx of models that classify pictures: in ONNX Runtime the logits of transformers and of our own predict."""
import unittest

import numpy as np
from harness import read_rows
from pictures import PictureRuns
from test_images import make_resnet
from test_patches import make_vit

MOST = 1e-5  # of the largest logit: float32 in another order


def disturbed(directory):
    """Numbers in which a layer that was forgotten is missed: biases, norms and running statistics are drawn too."""
    import torch
    from safetensors.torch import load_file, save_file

    torch.manual_seed(11)
    tensors = load_file(directory / "model.safetensors")
    for name, value in tensors.items():
        if value.is_floating_point():
            tensors[name] = value + torch.randn_like(value) * 0.1 if "running_var" not in name else value + torch.rand_like(value)
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})
    return directory


class Pictures(PictureRuns):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_resnet(cls.shared / "resnet")

    def export(self, source):
        import onnx
        import onnxruntime

        graph = self.home / f"graph_{source.name}"
        self.succeed("export", source, "--onnx", graph)
        onnx.checker.check_model(str(graph / "model.onnx"), full_check=True)
        return graph, onnxruntime.InferenceSession(str(graph / "model.onnx"), providers=["CPUExecutionProvider"])

    def assert_close(self, ours, theirs):
        self.assertLess(np.abs(ours - theirs).max() / np.abs(theirs).max(), MOST)
        self.assertGreater(np.ptp(theirs, axis=0).max(), 1e-3, "the rows differ, or nothing is compared")

    def models(self):
        yield disturbed(make_resnet(self.home / "basic"))
        yield disturbed(make_resnet(self.home / "bottleneck", layer_type="bottleneck", hidden_sizes=[16, 32], downsample_in_first_stage=True))
        for kind, changes in (("ViT", {}), ("Dinov2", {}), ("Dinov2", {"use_swiglu_ffn": True})):
            yield disturbed(make_vit(self.home / f"{kind}{len(changes)}", kind, **changes))

    def test_logits_of_transformers_and_of_predict(self):
        from PIL import Image
        from transformers import AutoImageProcessor, AutoModelForImageClassification
        import torch

        files = self.files(self.shared / "test")
        for source in self.models():
            graph, session = self.export(source)
            pixels = AutoImageProcessor.from_pretrained(graph)([Image.open(path).convert("RGB") for path in files], return_tensors="np")["pixel_values"]
            net = AutoModelForImageClassification.from_pretrained(source).eval()
            batches = [pixels[:5], pixels[5:8]] + ([np.tile(pixels[:4], (1, 1, 2, 3))] if "resnet" in net.config.model_type else [])
            for batch in batches:
                with torch.no_grad():
                    theirs = net(torch.from_numpy(batch)).logits.numpy()
                self.assert_close(session.run(["logits"], {"pixel_values": batch})[0], theirs)
            self.succeed("predict", source, "--input", self.shared / "test", "--output", self.home / "out.jsonl", "--logits")
            self.assert_close(session.run(["logits"], {"pixel_values": pixels})[0], np.asarray([row["logits"] for row in read_rows(self.home / "out.jsonl")]))

    def test_a_trained_run_under_torchvisions_names(self):
        from PIL import Image
        from transformers import AutoImageProcessor

        model = make_resnet(self.home / "model", "torchvision")
        self.succeed(self.images_config(model={"model_name_or_path": str(model)}, train={"max_steps": 6}))
        graph, session = self.export(self.run_dir())
        pixels = AutoImageProcessor.from_pretrained(graph)([Image.open(path).convert("RGB") for path in self.files(self.shared / "test")], return_tensors="np")["pixel_values"]
        self.succeed("predict", self.run_dir(), "--input", self.shared / "test", "--output", self.home / "out.jsonl", "--logits")
        self.assert_close(session.run(["logits"], {"pixel_values": pixels})[0], np.asarray([row["logits"] for row in read_rows(self.home / "out.jsonl")]))


if __name__ == "__main__":
    unittest.main()
