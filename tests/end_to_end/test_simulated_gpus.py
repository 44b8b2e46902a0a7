"""The whole program on GPUs that need no GPU (tests/simulated_gpu): each rank on a device of its own, against the same run on CPU cores."""
import json
import os
import pathlib
import unittest

import test_images
from harness import PROGRAM, EndToEnd, read_rows, write_rows
from pictures import make_images

FOLDER = pathlib.Path(PROGRAM).parent / "simulated_gpu"
WORLDS = [int(ranks) for ranks in os.environ.get("SIMULATED_GPUS", "1 2 4").split()]
EXACT = 1e-12  # relative, of a loss in float64: more than other orders of its additions make of it


class SimulatedGpus(EndToEnd):
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

    def test_texts_train_as_on_cpu_cores(self):
        self.succeed(self.settings("cpu", "cpu"))
        for ranks in WORLDS:
            self.train(f"gpus-{ranks}", ranks=ranks)
            self.assert_same_training(f"gpus-{ranks}", "cpu")

    def test_images_train_as_on_cpu_cores(self):
        sections = self.images()
        self.succeed(self.settings("cpu", "cpu", **sections))
        for ranks in WORLDS[1:] or WORLDS:
            self.train(f"gpus-{ranks}", ranks=ranks, **sections)
            self.assert_same_training(f"gpus-{ranks}", "cpu")

    # Two micro-batches a rank, of which the last rank's second has no picture. Buckets leave between the sums of norms of batches, in one queue with them.
    def test_norms_of_batches_over_ranks_that_run_out_of_images(self):
        sections = {**self.images(), "train": {"global_batch_size": 5, "per_device_train_batch_size": 1}, "comm": {"bucket_bytes": 4096}}
        self.succeed(self.settings("cpu", "cpu", **sections), ranks=3)
        self.train("gpus", ranks=3, **sections)
        self.assert_same_training("gpus", "cpu")

    def test_a_killed_run_goes_on_in_another_world_and_is_exported(self):
        saves = {"save": {"save_strategy": "steps", "save_steps": 5}}
        self.succeed(self.settings("cpu", "cpu", **saves))
        killed, _ = self.on_gpus(self.settings("gpus", **saves), ranks=2, environment={"SFT_FAILPOINTS": "trainer.step@8=kill"})
        self.assertNotEqual(killed.code, 0)
        done, _ = self.on_gpus(self.settings("gpus", **saves), ranks=1)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("resumed from", done.err)
        self.assert_same_training("gpus", "cpu")
        done, _ = self.on_gpus("export", self.run_dir("gpus"), "--output", self.home / "exported")
        self.assertEqual(done.code, 0, done.err)
        from transformers import AutoModelForSequenceClassification

        AutoModelForSequenceClassification.from_pretrained(self.home / "exported")

    def waits_an_update(self, name, **sections):
        """Between logging lines, by what for: a run of two updates more tells."""
        told = []
        for steps in (2, 4):
            only_train = {**sections, "data": {**sections.get("data", {}), "validation_file": None, "test_file": None}}
            told += self.train(f"{name}-{steps}", **{**only_train, "train": {"num_train_epochs": None, "max_steps": steps, **sections.get("train", {})}, "log": {"logging_steps": 1000}})
        few, many = (each["waits"] for each in told)
        return {why: (many.get(why, 0) - few.get(why, 0)) / 2 for why in many if many.get(why, 0) != few.get(why, 0)}

    # The norm of the gradients, and each loss when it is logged.
    def test_a_host_waits_as_often_for_texts_as_is_known(self):
        self.assertEqual(self.waits_an_update("texts"), {"item": 2})

    def test_a_host_waits_as_often_for_images_as_is_known(self):
        sections = self.images()
        for batch_norm in ("frozen", "local", "synchronized"):
            self.assertEqual(self.waits_an_update(batch_norm, **{**sections, "train": {"batch_norm": batch_norm}}), {"item": 2}, batch_norm)


if __name__ == "__main__":
    unittest.main()
