"""Ranks that would not do the same are refused before they begin, on every rank, with a table of what differs where."""
import json
import os
import shutil
import subprocess
import unittest

from harness import PROGRAM, EndToEnd, Finished


class Agreement(EndToEnd):
    def apart(self, *of_ranks, folders=None):
        """A job in which each rank has a command of its own, and a folder where they are given."""
        words = ["mpirun", "--oversubscribe"]
        for rank, command in enumerate(of_ranks):
            words += ([":"] if rank else []) + ["-np", "1"] + (["-wdir", str(folders[rank])] if folders else []) + [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, env=os.environ)
        return Finished(done.returncode, done.stdout, done.stderr)

    def refused(self, *rows, done):
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("do not agree", done.err)
        for row in rows:
            self.assertRegex(done.err, row)
        self.assertEqual(done.err.count("do not agree"), 1, "one rank speaks")

    def test_other_settings(self):
        config = self.config()
        for override, row in (("optim.learning_rate=1e-3", r"optim.learning_rate: 0.005 on rank 0 \(host .*\); 0.001 on rank 1 \(host"), ("data.max_length=16", "data.max_length: 32"), ("seed=9", "seed: 42"),
                              (f"data.train_file={self.shared / 'validation.jsonl'}", r"data.train_file.*validation.jsonl"), ("train.label_smoothing_factor=0.3", "label_smoothing"),
                              (f"output_dir={self.home / 'other'}", "output_dir"), ("comm.timeout_seconds=30", "comm.timeout_seconds")):
            with self.subTest(override=override):
                self.refused(row, done=self.apart((PROGRAM, config), (PROGRAM, config, override)))
                self.assertFalse(self.run_dir().exists(), "nothing was begun")

    def test_a_third_rank_is_told_from_two(self):
        config = self.config()
        self.refused(r"seed: 42 on ranks 0, 2 \(host .*\); 9 on rank 1", done=self.apart((PROGRAM, config), (PROGRAM, config, "seed=9"), (PROGRAM, config)))

    def test_other_files_under_one_name(self):
        folders = [self.home / "a", self.home / "b"]
        config = self.config(top={"output_dir": "run"}, model={"model_name_or_path": "model"}, data={"train_file": "train.jsonl", "validation_file": None, "test_file": None})
        for name in ("train.jsonl", "model/config.json", "model/tokenizer.json", "model/model.safetensors"):
            with self.subTest(name=name):
                for folder in folders:
                    shutil.rmtree(folder, ignore_errors=True)
                    shutil.copytree(self.shared / "model", folder / "model")
                    shutil.copy(self.shared / "train.jsonl", folder)
                path = folders[1] / name
                content = bytearray(path.read_bytes())
                content[-40] ^= 1  # of a weight, its lowest bits
                path.write_bytes(content)
                self.refused(f"content of {name}: .* on rank 0 .* on rank 1", done=self.apart((PROGRAM, config), (PROGRAM, config), folders=folders))

    def test_one_bit_of_a_large_file_of_weights(self):
        # Above 4 MiB the files are compared by pieces, and the weights once more when they are read.
        from harness import make_model
        folders = [self.home / "a", self.home / "b"]
        make_model(folders[0] / "model", hidden_size=256, intermediate_size=2048)
        shutil.copytree(folders[0] / "model", folders[1] / "model")
        path = folders[1] / "model" / "model.safetensors"
        content = bytearray(path.read_bytes())
        header = 8 + int.from_bytes(content[:8], "little")
        tensors = {name: place["data_offsets"] for name, place in json.loads(content[8:header]).items() if name != "__metadata__"}
        name = "bert.encoder.layer.1.output.dense.weight"
        room, pieces = len(content) - 65536, 64
        at = next(at for at in range(header + tensors[name][0], header + tensors[name][1], 4) if all(not room * i // (pieces - 1) - 9 <= at <= room * i // (pieces - 1) + 65545 for i in range(pieces)))
        content[at] ^= 1
        path.write_bytes(content)
        config = self.config(model={"model_name_or_path": "model"}, data={"test_file": None})
        self.refused(rf"tensor {name} of model: F32 [0-9 ]+, crc32c", done=self.apart((PROGRAM, config), (PROGRAM, config), folders=folders))

    def test_other_environment(self):
        config = self.config()
        for variable in ("ONEDNN_MAX_CPU_ISA=SSE41", "ATEN_CPU_CAPABILITY=default", "MKL_CBWR=COMPATIBLE"):
            name, value = variable.split("=")
            self.refused(rf"environment variable {name}: none on rank 0 .*'{value}' on rank 1", done=self.apart((PROGRAM, config), ("env", variable, PROGRAM, config)))

    def test_another_build(self):
        notes = subprocess.run(["readelf", "-n", PROGRAM], capture_output=True, text=True).stdout
        build = bytes.fromhex(notes.partition("Build ID: ")[2].split()[0])
        other = self.home / "sft-dist"
        with open(PROGRAM, "rb") as program:
            other.write_bytes(program.read().replace(build, bytes(len(build))))
        other.chmod(0o755)
        self.refused(rf"program: build {build.hex()} on rank 0 .*build {'00' * len(build)} on rank 1", done=self.apart((PROGRAM, self.config()), (other, self.config())))

    def test_every_command_that_runs_on_ranks(self):
        config = self.config(data={"test_file": None}, train={"max_steps": 2})
        self.succeed(config)
        sweep = self.config("sweep", data={"test_file": None}, train={"max_steps": 2})
        with open(sweep, "a") as out:
            out.write("[sweep.parameters]\nseed = [1, 2]\n")
        rows, out = self.shared / "test.jsonl", self.home / "out.jsonl"
        for one, other, row in ((("prepare", config), ("data.max_length=16",), "data.max_length"), (("find-lr", config), ("--steps", "20"), "--steps: 100"), (("find-lr", config), ("seed=3",), "seed"),
                                (("evaluate", self.run_dir()), ("--checkpoint", "last"), "--checkpoint: best"), (("predict", self.run_dir(), "--input", rows, "--output", out), ("--batch-size", "3"), "--batch-size: 64"),
                                (("sweep", sweep), ("optim.learning_rate=1e-3",), "optim.learning_rate"), (("train", config, "--dry-run"), ("seed=3",), "seed")):
            with self.subTest(command=one[0]):
                self.refused(row, done=self.apart((PROGRAM, *one), (PROGRAM, *one, *other)))
        self.refused("command: evaluate on rank 0 .*train on rank 1", done=self.apart((PROGRAM, "evaluate", self.run_dir()), (PROGRAM, "train", config)))
        self.assertFalse(out.exists())

    def test_threads_are_a_ranks_own(self):
        config = self.config(train={"max_steps": 2})
        done = self.apart(("env", "OMP_NUM_THREADS=1", PROGRAM, config, "threads=1"), ("env", "OMP_NUM_THREADS=2", PROGRAM, config, "threads=2"))
        self.assertEqual(done.code, 0, done.err)


if __name__ == "__main__":
    unittest.main()
