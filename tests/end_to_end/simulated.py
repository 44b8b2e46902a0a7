"""Runs on GPUs that need no GPU (tests/simulated_gpu), each rank on a device of its own."""
import json
import os
import pathlib

import test_images
from harness import PROGRAM, EndToEnd, read_rows
from pictures import make_images

FOLDER = pathlib.Path(PROGRAM).parent / "simulated_gpu"
EXACT = 1e-12  # relative, of a loss in float64: more than other orders of its additions make of it


class SimulatedRuns(EndToEnd):
    def setUp(self):
        super().setUp()
        self.runs = 0

    def on_gpus(self, *arguments, ranks=1, **options):
        """The run, and what each of its processes tells of its devices, by their first."""
        self.runs += 1
        report = self.home / f"devices-{self.runs}"
        environment = {"LD_LIBRARY_PATH": f"{FOLDER}:{os.environ.get('LD_LIBRARY_PATH', '')}", "SFT_SIMULATED_GPU_REPORT": str(report), "OMP_NUM_THREADS": "1",
                       "OMPI_MCA_mpi_yield_when_idle": "1", **options.pop("environment", {})}
        done = self.run_program(*arguments, ranks=ranks, environment=environment, timeout=240, **options)
        return done, sorted((json.loads(path.read_text()) for path in self.home.glob(report.name + ".*.json")), key=lambda told: told["devices"])

    def settings(self, name, device="cuda", **sections):
        merged = {"model": {"dtype": "float64"}, "train": {"num_train_epochs": 1, "global_batch_size": 8}}
        for section, keys in sections.items():
            merged[section] = {**merged.get(section, {}), **keys}
        return self.config(name, top={"output_dir": str(self.home / name), "device": device}, **merged)

    def train(self, name, ranks=1, **sections):
        done, told = self.on_gpus(self.settings(name, **sections), ranks=ranks)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual([each["devices"] for each in told], [[rank] for rank in range(ranks)], "a rank uses its own device and no other")
        return told

    def assert_same_training(self, name, reference):
        ours, theirs = self.lines(name), self.lines(reference)
        self.assertEqual(sorted(ours), sorted(theirs))
        for step, loss in theirs.items():
            self.assertAlmostEqual(ours[step], loss, delta=EXACT * loss, msg=f"{name}, step {step}")
        for key in ("loss", "accuracy"):
            self.assertAlmostEqual(self.summary(name)["test_metrics"][key], self.summary(reference)["test_metrics"][key], delta=EXACT * 10)
        mine, other = (read_rows(self.run_dir(each) / "predictions.jsonl") for each in (name, reference))
        self.assertEqual([row["label"] for row in mine], [row["label"] for row in other])

    def images(self):
        test_images.make_resnet(self.home / "resnet")
        for name, count, seed in (("train", 36, 1), ("validation", 16, 2), ("test", 15, 3)):
            make_images(self.home / name, count, seed)
        return {"model": {"task": "image_classification", "model_name_or_path": str(self.home / "resnet")},
                "data": {**{f"{name}_file": str(self.home / name) for name in ("train", "validation", "test")}, "max_length": None},
                "optim": {"optim": "sgd", "momentum": 0.9, "learning_rate": 0.05}}
