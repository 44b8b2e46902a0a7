"""The main job on a GPU against the same on CPU cores, and two ranks that share one GPU over NCCL. Skipped, aloud, where there is no GPU."""
import os
import subprocess
import sys
import unittest

import test_images
import test_token_classification
from harness import PROGRAM, EndToEnd, make_model, read_rows, write_rows

DOCTOR = subprocess.run([PROGRAM, "doctor"], capture_output=True, text=True, timeout=120)
if not any(line.split()[:2] == ["device", "cuda:0"] for line in DOCTOR.stdout.splitlines()):
    print("no GPU here: nothing was tested")
    sys.exit(77)

# NCCL takes one device for two ranks only where it believes them on two hosts; for tests, never for figures.
TWO_RANKS = ["mpirun", "-np", "2", "--oversubscribe", "bash", "-c", 'NCCL_HOSTID=$OMPI_COMM_WORLD_RANK exec "$0" "$@"', PROGRAM]
ON_ONE_GPU = {"SFT_SIMULATED_NODES": "2", "NCCL_ALGO": "Ring", "NCCL_PROTO": "Simple", "NCCL_NVLS_ENABLE": "0", "NCCL_IB_DISABLE": "1", "NCCL_SOCKET_IFNAME": "lo"}


class Gpu(EndToEnd):
    def train(self, name, device="cuda", ranks=1, **sections):
        config = self.config(name, top={"output_dir": str(self.home / name), "device": device}, **sections)
        if ranks == 1:
            done = self.run_program(config, timeout=300)
            code, err = done.code, done.err
        else:
            process = subprocess.run(TWO_RANKS + [str(config)], capture_output=True, text=True, timeout=300, env={**os.environ, **ON_ONE_GPU})
            code, err = process.returncode, process.stderr
        self.assertEqual(code, 0, err)
        return list(self.lines(name, "loss").values()), self.summary(name)["test_metrics"]

    def assert_near(self, ours, reference, tolerance):
        self.assertEqual(len(ours), len(reference))
        for mine, theirs in zip(ours, reference):
            self.assertAlmostEqual(mine, theirs, delta=tolerance * abs(theirs))

    def test_float64_is_the_cpus_to_rounding(self):
        exact = {"model": {"dtype": "float64"}}
        losses, metrics = self.train("gpu", **exact)
        reference, expected = self.train("cpu", "cpu", **exact)
        self.assert_near(losses, reference, 1e-9)
        self.assertAlmostEqual(metrics["loss"], expected["loss"], delta=1e-9)
        for ours, theirs in zip(read_rows(self.home / "gpu/predictions.jsonl"), read_rows(self.home / "cpu/predictions.jsonl")):
            self.assertEqual(ours["label"], theirs["label"])

    def test_float32_and_bfloat16_follow_the_cpu(self):
        reference, expected = self.train("cpu", "cpu")
        losses, metrics = self.train("gpu")
        self.assert_near(losses, reference, 1e-3)
        self.assertAlmostEqual(metrics["loss"], expected["loss"], delta=1e-3)
        losses, metrics = self.train("narrow", model={"dtype": "bfloat16"})
        self.assert_near(losses, reference, 0.1)
        self.assertAlmostEqual(metrics["accuracy"], expected["accuracy"], delta=0.1)

    def test_tags_of_words_follow_the_cpu(self):
        make_model(self.home / "model", base_class=True)
        for name, seed in (("train", 1), ("validation", 2), ("test", 3)):
            write_rows(self.home / f"{name}.jsonl", test_token_classification.make_tagged(60, seed))
        sections = {"model": {"task": "token_classification", "model_name_or_path": str(self.home / "model"), "dtype": "float64"},
                    "data": {f"{name}_file": str(self.home / f"{name}.jsonl") for name in ("train", "validation", "test")}}
        reference, expected = self.train("cpu", "cpu", **sections)
        losses, metrics = self.train("gpu", **sections)
        self.assert_near(losses, reference, 1e-9)
        self.assertEqual(metrics["f1"], expected["f1"])

    def test_images_follow_the_cpu(self):
        test_images.make_resnet(self.home / "resnet")
        for name, count, seed in (("train", 66, 1), ("validation", 31, 2), ("test", 25, 3)):
            test_images.make_images(self.home / name, count, seed)
        for batch_norm in ("frozen", "local", "synchronized"):
            sections = {"model": {"task": "image_classification", "model_name_or_path": str(self.home / "resnet"), "dtype": "float64"},
                        "data": {**{f"{name}_file": str(self.home / name) for name in ("train", "validation", "test")}, "max_length": None},
                        "train": {"num_train_epochs": 1, "global_batch_size": 8, "batch_norm": batch_norm}, "optim": {"optim": "sgd", "momentum": 0.9, "learning_rate": 0.05}}
            reference, _ = self.train(f"cpu-{batch_norm}", "cpu", **sections)
            losses, _ = self.train(f"gpu-{batch_norm}", **sections)
            self.assert_near(losses, reference, 1e-7)

    def test_two_ranks_over_nccl_are_one_rank(self):
        exact = {"model": {"dtype": "float64"}}
        reference, _ = self.train("one", **exact)
        losses, _ = self.train("two", ranks=2, **exact)
        self.assert_near(losses, reference, 1e-9)

    def test_resumed_run_goes_on_where_it_stopped(self):
        exact = {"model": {"dtype": "float64"}, "save": {"save_strategy": "steps", "save_steps": 5}}
        whole, _ = self.train("whole", **exact)
        config = self.config("parts", top={"output_dir": str(self.home / "parts"), "device": "cuda"}, **exact)
        first = self.run_program(config, environment={"SFT_FAILPOINTS": "trainer.step@13=kill"}, timeout=300)
        self.assertNotEqual(first.code, 0)
        losses, _ = self.train("parts", **exact)
        self.assert_near(losses, whole, 1e-9)


if __name__ == "__main__":
    unittest.main()
