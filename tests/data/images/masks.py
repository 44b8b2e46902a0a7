"""Masks, live against PIL: to the bit.

    masks.py IMAGE_SAMPLES
"""
import io
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from PIL import Image
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import functional as vision
except ImportError as missing:
    print(f"SKIPPED: nothing was compared, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

draw = np.random.default_rng(5)


def ours(tool, path, how, size):
    done = subprocess.run([tool, str(path), how, str(size)], capture_output=True)
    if done.returncode != 0:
        return done.stderr.decode()
    return done.stdout if how == "mask_file" else np.frombuffer(done.stdout[16:], np.uint8).reshape(np.frombuffer(done.stdout[:16], np.int64))


def voc_colour(number):
    """As the development kit's VOClabelcolormap computes it."""
    colour = [0, 0, 0]
    for bit in range(8):
        for c in range(3):
            colour[c] |= ((number >> c) & 1) << (7 - bit)
        number >>= 3
    return colour


def main():
    tool, bad = sys.argv[1], []

    def check(what, good, told=""):
        print("ok  " if good else "FAIL", what, told)
        bad.extend([] if good else [what])

    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, bits, most in (("grey", 8, 256), ("palette", 8, 256), ("palette_4", 4, 16), ("palette_2", 2, 4), ("palette_1", 1, 2)):
            classes = draw.integers(0, most, (37, 53)).astype(np.uint8)
            image = Image.fromarray(classes, "L" if name == "grey" else "P")
            if name != "grey":
                image.putpalette(list(draw.integers(0, 256, 3 * most)))
            image.save(root / f"{name}.png", **({} if bits == 8 else {"bits": bits}))
            image = Image.open(root / f"{name}.png")
            check(f"{name} decoded", np.array_equal(ours(tool, root / f"{name}.png", "mask", 0), classes))
            for size in (1, 8, 37, 50, 64, 129):
                check(f"{name} to {size}", np.array_equal(ours(tool, root / f"{name}.png", "mask", size), np.asarray(image.resize((size, size), Image.NEAREST))))
                covering = vision.resize(image, size, InterpolationMode.NEAREST)
                covering = vision.crop(covering, (covering.height - size) // 2, (covering.width - size) // 2, size, size)  # as transformers' center_crop
                check(f"{name} covering {size}", np.array_equal(ours(tool, root / f"{name}.png", "mask_cover", size), np.asarray(covering)))
            back = Image.open(io.BytesIO(ours(tool, root / f"{name}.png", "mask_file", 0)))
            check(f"{name} written", back.mode == "P" and np.array_equal(np.asarray(back), classes) and back.getpalette() == [c for i in range(256) for c in voc_colour(i)])

        for source, size in ((256, 224), (320, 224), (256, 640)):  # where a product falls on the other side of a border than PIL's sum
            classes = draw.integers(0, 256, (source, source)).astype(np.uint8)
            Image.fromarray(classes, "L").save(root / "large.png")
            check(f"{source} to {size}", np.array_equal(ours(tool, root / "large.png", "mask", size), np.asarray(Image.fromarray(classes, "L").resize((size, size), Image.NEAREST))))

        rgb = np.zeros((9, 9, 3), np.uint8)
        rgb[2:5] = 128, 0, 0
        rgb[7, 7] = 0, 128, 0
        deep, jpeg = io.BytesIO(), io.BytesIO()
        Image.fromarray(draw.integers(0, 9, (9, 9)).astype(np.uint16)).save(deep, "png")
        Image.fromarray(rgb[..., 0]).save(jpeg, "jpeg")
        for name, content, words in (("deep.png", deep.getvalue(), ["16 bits", "convert it to 8"]), ("smeared.png", jpeg.getvalue(), ["is no PNG", "a JPEG smears classes"]), ("none.png", b"", ["empty"]),
                                     ("rgb.png", None, ["is of RGB", "3 colours: (0, 0, 0), (128, 0, 0), (0, 128, 0)", "with a palette", "mode L"]), ("cut.png", (root / "grey.png").read_bytes()[:-300], ["ends too early"])):
            if content is None:
                Image.fromarray(rgb).save(root / name)
            else:
                (root / name).write_bytes(content)
            answer = ours(tool, root / name, "mask", 0)
            check(f"{name} refused", isinstance(answer, str) and name in answer and all(word in answer for word in words), answer)
    print(f"{len(bad)} differences from PIL")
    sys.exit(1 if bad else 0)


main()
