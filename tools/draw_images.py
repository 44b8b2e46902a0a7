#!/usr/bin/env python3
"""Draws ten classes of shapes and textures in CIFAR-10's binary form (numpy alone, no download).

    draw_images.py DIRECTORY [--set shapes|textures] [--train 8000] [--test 2000] [--seed 1]

What a class is, is a matter of form: colours, place, size and rotation are drawn independently of it, and noise lies on
top, so that no single pixel tells anything and a linear classifier on pixels finds little. The two sets share no class:
a network pretrained on one can be tried on the other. Writes data_batch_1.bin, test_batch.bin and batches.meta.txt.
"""
import argparse
from pathlib import Path

import numpy as np

SIDE = 32


def polygon(sides, pointed=1.0):
    """Inside of a regular polygon, or of a star where pointed < 1, by angle and distance from its middle."""
    def inside(u, v, draw):
        angle = np.arctan2(v, u) % (2 * np.pi / sides) - np.pi / sides
        edge = np.cos(np.pi / sides) / np.cos(angle)
        if pointed < 1:
            edge = pointed + (1 - pointed) * np.abs(angle) * sides / np.pi
        return np.hypot(u, v) < edge
    return inside


SHAPES = {
    "circle": lambda u, v, draw: np.hypot(u, v) < 0.9,
    "ring": lambda u, v, draw: np.abs(np.hypot(u, v) - 0.75) < 0.2,
    "triangle": polygon(3),
    "square": polygon(4),
    "star": polygon(5, 0.4),
    "cross": lambda u, v, draw: (np.minimum(np.abs(u), np.abs(v)) < 0.25) & (np.maximum(np.abs(u), np.abs(v)) < 0.95),
    "crescent": lambda u, v, draw: (np.hypot(u, v) < 0.95) & (np.hypot(u - 0.45, v) > 0.75),
    "bar": lambda u, v, draw: (np.abs(u) < 1.0) & (np.abs(v) < 0.28),
    "frame": lambda u, v, draw: (np.maximum(np.abs(u), np.abs(v)) < 0.85) & (np.maximum(np.abs(u), np.abs(v)) > 0.5),
    "pair": lambda u, v, draw: (np.hypot(u - 0.55, v) < 0.4) | (np.hypot(u + 0.55, v) < 0.4),
}


def blobs(u, v, draw, count, radius):
    centres = draw.uniform(-1.6, 1.6, (count, 2))
    return np.min([np.hypot(u - x, v - y) for x, y in centres], 0) < radius


TEXTURES = {
    "stripes": lambda u, v, draw: np.sin(7 * u) > 0,
    "checks": lambda u, v, draw: np.sin(6 * u) * np.sin(6 * v) > 0,
    "rings": lambda u, v, draw: np.sin(9 * np.hypot(u, v)) > 0,
    "waves": lambda u, v, draw: np.sin(7 * u + 2.2 * np.sin(4 * v)) > 0,
    "grid": lambda u, v, draw: np.maximum(np.sin(6 * u), np.sin(6 * v)) > 0.75,
    "dots": lambda u, v, draw: np.sin(7 * u) * np.sin(7 * v) > 0.55,
    "rays": lambda u, v, draw: np.sin(8 * np.arctan2(v, u)) > 0,
    "spiral": lambda u, v, draw: np.sin(8 * np.hypot(u, v) + 2 * np.arctan2(v, u)) > 0,
    "patches": lambda u, v, draw: blobs(u, v, draw, 7, 0.45),
    "bricks": lambda u, v, draw: (np.sin(6 * v) > 0.85) | (np.sin(5 * u + np.pi / 2 * np.sign(np.sin(3 * v))) > 0.9),
}


def picture(form, draw):
    """One image: the form in one colour on another, each with a gradient of light, under noise."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE * 2 - 1
    turn, scale = draw.uniform(0, 2 * np.pi), draw.uniform(0.45, 0.85)
    shift = draw.uniform(-0.3, 0.3, 2)
    u = ((x - shift[0]) * np.cos(turn) + (y - shift[1]) * np.sin(turn)) / scale
    v = ((y - shift[1]) * np.cos(turn) - (x - shift[0]) * np.sin(turn)) / scale
    inside = form(u, v, draw)[..., None]
    while True:
        front, back = draw.uniform(0, 255, (2, 3))
        if np.abs(front - back).max() > 70:
            break
    light = draw.uniform(-30, 30) * x + draw.uniform(-30, 30) * y
    pixels = np.where(inside, front, back) + light[..., None] + draw.normal(0, 22, (SIDE, SIDE, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write(path, forms, count, draw):
    with open(path, "wb") as out:
        for label in draw.integers(0, len(forms), count):
            out.write(bytes([label]) + picture(forms[label], draw).transpose(2, 0, 1).tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--set", choices=["shapes", "textures"], default="shapes")
    parser.add_argument("--train", type=int, default=8000)
    parser.add_argument("--test", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    forms = {"shapes": SHAPES, "textures": TEXTURES}[options.set]
    options.directory.mkdir(parents=True, exist_ok=True)
    (options.directory / "batches.meta.txt").write_text("".join(name + "\n" for name in forms))
    for part, (name, count) in enumerate((("data_batch_1.bin", options.train), ("test_batch.bin", options.test))):
        write(options.directory / name, list(forms.values()), count, np.random.default_rng([options.seed, part]))
    print(f"{options.directory}: {options.train} images to learn from, {options.test} to test, {len(forms)} classes of {options.set}")


if __name__ == "__main__":
    main()
