"""An installed tree that was moved, with nothing of the checkout in sight; and the other MPI."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import PROGRAM, EndToEnd, read_rows

BUILD = pathlib.Path(PROGRAM).resolve().parent
SOURCE = pathlib.Path(__file__).resolve().parents[2]
# What a bare system has: the C library, and the runtime of the compiler.
OF_THE_SYSTEM = ["ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libutil.so.1", "libresolv.so.2", "libstdc++.so.6", "libgcc_s.so.1"]
# The newest symbols that an installed file may ask the system for.
NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13)}


def versions(file, family):
    listed = subprocess.run(["readelf", "--version-info", "--wide", file], capture_output=True, text=True).stdout
    return {tuple(int(part) for part in found.split(".")) for found in re.findall(rf"Name: {family}_([0-9.]+)", listed)}


class Installed(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = pathlib.Path(tempfile.mkdtemp(prefix="sft-install-", dir="/var/tmp"))
        first = cls.tree / "first"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", first], check=True, capture_output=True)
        first.rename(cls.tree / "moved")  # no file may know where it was installed
        cls.moved = cls.tree / "moved"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.tree)
        super().tearDownClass()

    def libraries(self):
        return [file for file in (self.moved / "lib/sft-dist").iterdir()] + [self.moved / "bin/sft-dist", self.moved / "libexec/sft-dist/sft-hdf5-survey"]

    def test_holds_what_a_user_looks_for(self):
        for path in ["bin/sft-dist", "share/sft-dist/configs/bert_text_classification.toml", "share/sft-dist/slurm/train.sbatch", "share/doc/sft-dist/README.md", "share/doc/sft-dist/to_wandb.py",
                     "share/doc/sft-dist/licences/torch/LICENSE", "share/bash-completion/completions/sft-dist", "share/sft-dist/mpi/sft_mpi.c", "share/sft-dist/gpu_check/run.sh",
                     "include/sft-dist/plugin.h"]:
            self.assertTrue((self.moved / path).is_file(), path)
        for text in ["libtomlplusplus-dev/copyright", "tokenizers-*/LICENSE", "onig_sys-*/oniguruma-COPYING", "zstd-sys-*/zstd-LICENSE"]:
            self.assertEqual(len(list((self.moved / "share/doc/sft-dist/licences").glob(text))), 1, text)
        page = (self.moved / "share/man/man1/sft-dist.1").read_text()
        for told in [".SS find\\-lr", ".B \\-\\-dry\\-run", ".B \\-q,\\-\\-quiet", ".B \\-v,\\-\\-verbose", ".B 93\nthree starts that got nowhere"]:
            self.assertIn(told, page)
        if shutil.which("groff"):
            self.assertEqual(subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", self.moved / "share/man/man1/sft-dist.1"], capture_output=True, text=True).stderr, "")

    def test_asks_no_newer_system_than_it_says(self):
        for file in self.libraries():
            for family, newest in NEWEST.items():
                for version in versions(file, family):
                    self.assertLessEqual(version, newest, f"{file.name} needs {family}_{'.'.join(map(str, version))}")

    @unittest.skipIf(os.geteuid() != 0, "a root file system of one's own wants root")
    def test_trains_on_a_bare_system_without_mpi(self):
        root = self.tree / "root"
        for folder in ["lib", "lib64", "opt", "proc", "dev", "tmp", "rows"]:
            (root / folder).mkdir(parents=True)
        for name in OF_THE_SYSTEM:
            found = next(folder / name for folder in map(pathlib.Path, ["/lib64", "/lib/x86_64-linux-gnu", "/usr/lib64"]) if (folder / name).exists())
            shutil.copy(found.resolve(), root / ("lib64" if name.startswith("ld-") else "lib") / name)
        for name in ["train.jsonl", "validation.jsonl", "test.jsonl"]:
            shutil.copy(self.shared / name, root / "rows" / name)
        shutil.copytree(self.shared / "model", root / "rows/model")
        config = self.config(top={"output_dir": "/rows/run"}, model={"model_name_or_path": "/rows/model"},
                             data={"train_file": "/rows/train.jsonl", "validation_file": "/rows/validation.jsonl", "test_file": "/rows/test.jsonl"}, train={"num_train_epochs": 1})
        shutil.copy(config, root / "rows/run.toml")

        def inside(*arguments):
            mounts = f"mount --rbind {self.moved} {root}/opt && mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot {root} /opt/bin/sft-dist \"$@\""
            return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", mounts, "sft-dist", *arguments], capture_output=True, text=True,
                                  env={"PATH": os.environ["PATH"]}, timeout=300)

        trained = inside("train", "/rows/run.toml")
        self.assertEqual(trained.returncode, 0, trained.stderr)
        predicted = inside("predict", "/rows/run", "--input", "/rows/test.jsonl", "--output", "/rows/out.jsonl")
        self.assertEqual(predicted.returncode, 0, predicted.stderr)
        self.succeed(self.config("here", train={"num_train_epochs": 1}))
        self.assertEqual((root / "rows/run/model/model.safetensors").read_bytes(), self.weights("here"))
        self.assertEqual(len(read_rows(root / "rows/out.jsonl")), 37)
        asked = inside("train", "/rows/run.toml", "output_dir=/rows/other", "comm.backend=mpi")
        self.assertEqual(asked.returncode, 69, asked.stderr)
        self.assertIn("libmpi.so.40", asked.stderr)
        self.assertIn("libmpi.so.12", asked.stderr)


    def test_packs_that_a_user_unpacks(self):
        made = self.tree / "dist"
        made.mkdir()
        subprocess.run([sys.executable, SOURCE / "tools/package/dist.py", self.moved, made], check=True, capture_output=True)
        rows = self.shared / "test.jsonl"
        self.succeed(self.config("here", train={"num_train_epochs": 1}))

        def predicts_with(program, name):
            done = subprocess.run([program, "predict", self.run_dir("here"), "--input", rows, "--output", self.home / f"{name}.jsonl"], capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr)
            return (self.home / f"{name}.jsonl").read_bytes()

        self.succeed("predict", self.run_dir("here"), "--input", rows, "--output", self.home / "here.jsonl")
        expected = (self.home / "here.jsonl").read_bytes()
        subprocess.run(["tar", "-C", self.tree, "-xzf", next(made.glob("*.tar.gz"))], check=True)
        self.assertEqual(predicts_with(next(self.tree.glob("sft-dist-*/bin/sft-dist")), "tarball"), expected)
        subprocess.run(["dpkg-deb", "-x", next(made.glob("*.deb")), self.tree / "deb"], check=True)
        self.assertEqual(predicts_with(self.tree / "deb/usr/bin/sft-dist", "deb"), expected)

        # torch's wheel, 2 GB with what it needs, is there already: the environment sees it where pip would have put it.
        environment = self.tree / "environment"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([environment / "bin/pip", "install", "--quiet", "--no-deps", "--no-index", next(made.glob("*.whl"))], check=True)
        import torch
        packages = next(environment.glob("lib/python3*/site-packages"))
        for name in ["torch", "nvidia"]:
            (packages / name).symlink_to(pathlib.Path(torch.__file__).parents[1] / name)
        self.assertFalse(list(environment.glob("lib/sft-dist/libtorch*")), "LibTorch is torch's")
        self.assertEqual(predicts_with(environment / "bin/sft-dist", "wheel"), expected)


@unittest.skipIf(shutil.which("mpirun.mpich") is None or not (BUILD / "libsft_mpi_mpich.so").exists(), "no MPICH here")
class UnderMpich(EndToEnd):
    def under_mpich(self, *arguments):
        done = subprocess.run(["mpirun.mpich", "-np", "2", PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_leaves_the_same_bits_as_under_open_mpi(self):
        told = self.under_mpich("train", self.config("mpich"))
        self.assertIn("2 ranks (mpi", told.stderr)
        self.succeed(self.config("open"), ranks=2)
        self.assertEqual(self.weights("mpich"), self.weights("open"))
        self.under_mpich("predict", self.run_dir("mpich"), "--input", self.shared / "test.jsonl", "--output", self.home / "out.jsonl")
        self.assertEqual(len(read_rows(self.home / "out.jsonl")), 37)

    def test_doctor_names_it(self):
        self.assertIn("MPICH", self.under_mpich("doctor").stdout)


if __name__ == "__main__":
    unittest.main()
