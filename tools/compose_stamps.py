#!/usr/bin/env python3
"""Composes pictures with exact masks and boxes: stamps of Debian's tuxpaint-stamps-default (cut-out photographs and drawings, GPL-2) pasted on noise.

    .deps/venv/bin/python tools/compose_stamps.py DIRECTORY [--train 1200] [--test 200] [--side 128] [--seed 1]

Fetches the package (161 MB) into a folder of its own, installs nothing, and leaves DIRECTORY/{train,test}/{images,masks} and
classes.txt in each: class 0 is the ground, the others are the folders of the stamps. A stamp is in the training pictures or in the test
pictures, never in both. Half transparent pixels, and no others, are of no class (255). annotations.json, of COCO's form, has the box of
what is seen of each stamp, where that is a quarter of it at least.
"""
import argparse
import io
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

from debian_descriptions import apt_options, fail, package_lists, say

PACKAGE = "tuxpaint-stamps-default"
CLASSES = ["animals", "food", "plants", "vehicles"]
SMALLEST, LARGEST, MOST_STAMPS = 0.3, 0.75, 3  # of the picture's side; a picture


def fetch_stamps():
    """{class: [RGBA pictures, cropped to what is not transparent]}, in the order of their names."""
    say(f"fetching {PACKAGE} (161 MB)")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        package_lists(folder)
        done = subprocess.run(["apt-get", "download", "-qq"] + apt_options(folder) + [PACKAGE], cwd=folder, capture_output=True, text=True)
        found = list(folder.glob("*.deb"))
        if not found:
            fail(f"apt brought no {PACKAGE}: {done.stderr.strip()[:400]}", "Bring images and masks of your own instead; see docs/segmentation.md.")
        subprocess.run(["dpkg-deb", "-x", str(found[0]), str(folder / "all")], check=True)
        stamps = {}
        for name in CLASSES:
            files = sorted((folder / "all/usr/share/tuxpaint/stamps" / name).rglob("*.png"))
            stamps[name] = [stamp for stamp in map(cut_out, files) if stamp is not None]
        return stamps


def cut_out(path):
    image = Image.open(io.BytesIO(path.read_bytes()))
    if image.mode not in ("RGBA", "LA", "P"):
        return None
    image = image.convert("RGBA")
    alpha = np.asarray(image)[..., 3]
    if (alpha > 200).mean() > 0.98 or not (alpha > 200).any():  # no cut-out
        return None
    image = image.crop(image.getchannel("A").point(lambda a: 255 * (a > 127)).getbbox())
    image.thumbnail((256, 256))
    return image if min(image.size) >= 16 else None


def ground(draw, side):
    """Blurred noise in two colours."""
    coarse = draw.integers(0, 256, (draw.integers(2, 9), draw.integers(2, 9)), dtype=np.uint8)
    share = np.asarray(Image.fromarray(coarse).resize((side, side), Image.BICUBIC))[..., None] / 255
    colours = draw.integers(0, 256, (2, 3))
    return (colours[0] * share + colours[1] * (1 - share) + draw.normal(0, 12, (side, side, 3))).clip(0, 255)


def compose(draw, stamps, side):
    """A picture, its mask, and of each stamp [class, left, top, width, height, pixels that are seen]."""
    pixels, mask, owner, sizes = ground(draw, side), np.zeros((side, side), np.uint8), np.full((side, side), -1), []
    for number in range(draw.integers(1, MOST_STAMPS + 1)):
        label = int(draw.integers(len(CLASSES)))
        stamp = stamps[CLASSES[label]][draw.integers(len(stamps[CLASSES[label]]))]
        scale = side * draw.uniform(SMALLEST, LARGEST) / max(stamp.size)
        stamp = stamp.resize([max(4, round(length * scale)) for length in stamp.size], Image.BILINEAR)
        if draw.random() < 0.5:
            stamp = stamp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        left, top = (int(draw.integers(0, side - length + 1)) for length in stamp.size)
        of = np.asarray(stamp).astype(float)
        alpha = of[..., 3:] / 255
        place = np.s_[top:top + of.shape[0], left:left + of.shape[1]]
        pixels[place] = of[..., :3] * alpha + pixels[place] * (1 - alpha)
        mask[place] = np.where(alpha[..., 0] > 0.8, label + 1, np.where(alpha[..., 0] > 0.2, 255, mask[place]))
        owner[place] = np.where(alpha[..., 0] > 0.5, number, owner[place])
        sizes.append((label, int((alpha > 0.5).sum())))
    boxes = []
    for number, (label, whole) in enumerate(sizes):
        rows, columns = np.nonzero(owner == number)
        if 4 * len(rows) >= whole > 0:
            left, top = int(columns.min()), int(rows.min())
            boxes.append([label, left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top, len(rows)])
    return Image.fromarray(pixels.round().astype(np.uint8)), Image.fromarray(mask), boxes


def write_coco(path, side, boxes_of):
    """`boxes_of`: {file name: what compose() says of its boxes}."""
    images = [{"id": number + 1, "file_name": name, "width": side, "height": side} for number, name in enumerate(boxes_of)]
    all_boxes = [(number + 1, *box) for number, boxes in enumerate(boxes_of.values()) for box in boxes]
    annotations = [{"id": number + 1, "image_id": image, "category_id": label + 1, "bbox": [left, top, width, height], "area": area, "iscrowd": 0}
                   for number, (image, label, left, top, width, height, area) in enumerate(all_boxes)]
    categories = [{"id": number + 1, "name": name} for number, name in enumerate(CLASSES)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    for name, default in (("train", 1200), ("test", 200), ("side", 128), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    stamps = fetch_stamps()
    say(", ".join(f"{len(all_of)} of {name}" for name, all_of in stamps.items()))
    for split, count in (("train", asked.train), ("test", asked.test)):
        own = {name: [stamp for i, stamp in enumerate(all_of) if (i % 5 == 0) == (split == "test")] for name, all_of in stamps.items()}
        draw = np.random.default_rng([asked.seed, split == "test"])
        for folder in ("images", "masks"):
            (asked.directory / split / folder).mkdir(parents=True, exist_ok=True)
        (asked.directory / split / "classes.txt").write_text("\n".join(["ground", *CLASSES]) + "\n")
        boxes_of = {}
        for number in range(count):
            picture, mask, boxes_of[f"{number:05}.jpg"] = compose(draw, own, asked.side)
            picture.save(asked.directory / split / "images" / f"{number:05}.jpg", quality=92)
            mask.save(asked.directory / split / "masks" / f"{number:05}.png")
        write_coco(asked.directory / split / "annotations.json", asked.side, boxes_of)
    say(f"{asked.directory}: {asked.train} and {asked.test} pictures of {asked.side} x {asked.side}")


if __name__ == "__main__":
    main()
