"""Decoding, resizing and the forms of image data, live against PIL and torchvision: to the bit.

    reference.py IMAGE_SAMPLES
"""
import io
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import h5py
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as parquet
    from PIL import Image, ImageOps
    import torch
    from torchvision.transforms import InterpolationMode, RandomResizedCrop
    from torchvision.transforms import functional as vision
except ImportError as missing:
    print(f"SKIPPED: nothing was compared, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

draw = np.random.default_rng(5)


def picture(height, width, channels=3):
    """Smooth and rough at once, so that a wrong weight shows."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / (3 + c)) * np.cos(y / (5 + c)) for c in range(channels)], -1)
    pixels = np.clip(127 + 90 * waves + draw.normal(0, 25, waves.shape), 0, 255).astype(np.uint8)
    return pixels if channels > 1 else pixels[..., 0]


def ours(tool, path, *how):
    done = subprocess.run([tool, str(path), *map(str, how)], capture_output=True)
    if done.returncode != 0:
        return done.stderr.decode()
    height, width = np.frombuffer(done.stdout[:16], np.int64)
    return np.frombuffer(done.stdout[16:], np.uint8).reshape(-1, height, width, 3)


def bitmap(bits, width, height, masks=b"", compression=None, rows=None):
    """A BMP of random pixels with a header of 40 bytes; `masks` of its fields behind it."""
    stride = (width * bits + 31) // 32 * 4
    body = draw.integers(0, 256, stride * abs(height) if rows is None else rows, dtype=np.uint8).tobytes()
    compression = compression if compression is not None else 3 if masks else 0
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 0, 0) + masks
    return struct.pack("<2sIHHI", b"BM", 14 + len(header) + len(body), 0, 0, 14 + len(header)) + header + body


def in_order(image, size, interpolation):
    """Along rows and then along columns, but the other way about where columns shrink and rows grow: Pillow's order before 13."""
    first = (image.width, size) if size < image.height and size > image.width else (size, image.height)
    return image.resize(first, interpolation).resize((size, size), interpolation)


def files(root):
    rgb = Image.fromarray(picture(37, 51))
    grey = Image.fromarray(picture(40, 30, 1))
    rgb.save(root / "a.jpg", quality=90)
    rgb.save(root / "progressive.jpeg", quality=60, progressive=True, subsampling=0)
    grey.save(root / "grey.JPG")
    rgb.save(root / "b.png")
    grey.save(root / "grey.png")
    rgb.convert("P", palette=Image.Palette.ADAPTIVE).save(root / "palette.png")
    rgb.convert("P", palette=Image.Palette.ADAPTIVE).save(root / "transparent.png", transparency=0)
    grey.convert("1").save(root / "bits.png")
    Image.fromarray(picture(20, 33, 4), "RGBA").save(root / "alpha.png")
    grey.convert("LA").save(root / "grey_alpha.png")
    rgb.convert("CMYK").save(root / "inks.jpg", quality=90)
    for name, image in (("rgb", rgb), ("grey", grey), ("palette", rgb.convert("P", palette=Image.Palette.ADAPTIVE)), ("few", rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=5)),
                        ("bits", grey.convert("1")), ("alpha", Image.fromarray(picture(20, 33, 4), "RGBA"))):
        image.save(root / f"{name}.bmp")
    for name, bits, height, masks in (("of_555", 16, 9, b""), ("of_565", 16, 9, struct.pack("<3I", 0xF800, 0x7E0, 0x1F)), ("top_down", 24, -9, b""), ("of_32", 32, 9, b"")):
        (root / f"{name}.bmp").write_bytes(bitmap(bits, 13, height, masks))
    for name, image, options in (("lossy", rgb, dict(quality=80)), ("lossless", rgb, dict(lossless=True)), ("clear", Image.fromarray(picture(20, 33, 4), "RGBA"), dict(lossless=True, exact=True)), ("clear_lossy", Image.fromarray(picture(20, 33, 4), "RGBA"), dict(quality=70)), ("odd", Image.fromarray(picture(17, 31)), dict(quality=30))):
        image.save(root / f"{name}.webp", **options)
    turned = Image.Exif()
    turned[0x0112] = 6
    rgb.save(root / "turned.webp", quality=90, exif=turned)
    rgb.save(root / "turned.png", exif=turned)
    content = (root / "turned.png").read_bytes()
    at = content.index(b"eXIf") - 4
    chunk = content[at:at + 12 + int.from_bytes(content[at:at + 4], "big")]
    (root / "turned_behind.png").write_bytes(content.replace(chunk, b"")[:-12] + chunk + content[-12:])  # in front of IEND
    for orientation in range(10):  # 0 and 9 are none
        exif = Image.Exif()
        exif[0x010F], exif[0x0112] = "a camera", orientation
        rgb.save(root / f"held_{orientation}.jpg", exif=exif)
    return sorted(root.iterdir())


def middle(image, size):
    """transformers' center_crop, which rounds a half down where torchvision's rounds it to even."""
    return vision.crop(image, (image.height - size) // 2, (image.width - size) // 2, size, size)


def main():
    tool, bad = sys.argv[1], []

    def same(what, mine, theirs):
        good = isinstance(mine, np.ndarray) and mine.shape == theirs.shape and np.array_equal(mine, theirs)
        print("ok  " if good else "FAIL", what, "" if good else (mine if isinstance(mine, str) else f"{mine.shape} {theirs.shape} {np.abs(mine.astype(int) - theirs).max() if mine.shape == theirs.shape else ''}"))
        bad.extend([] if good else [what])

    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for path in files(root):
            image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            same(f"{path.name} decoded", ours(tool, path, "keep", 0), np.asarray(image)[None])
            # Pillow 13 takes the pass along columns first where a tall picture shrinks, 51 x 37 to 32 x 32 among them: its
            # levels are then one aside of the order of before, which is kept here.
            for size in (8, 64) if path.name.startswith(("held_", "turned")) else (8, 32, 45, 64):
                same(f"{path.name} to {size} x {size}", ours(tool, path, "square", size), np.asarray(image.resize((size, size), Image.BILINEAR))[None])
                same(f"{path.name} to {size} x {size}, bicubic", ours(tool, path, "bicubic", size), np.asarray(image.resize((size, size), Image.BICUBIC))[None])
                covering = middle(vision.resize(image, size, InterpolationMode.BICUBIC), size)
                same(f"{path.name} covering {size}, bicubic", ours(tool, path, "cover_bicubic", size), np.asarray(covering)[None])
                cropped = middle(vision.resize(image, size), size)
                same(f"{path.name} covering {size}", ours(tool, path, "cover", size), np.asarray(cropped)[None])

        for name, how, interpolation in (("a.jpg", "crops", Image.BILINEAR), ("b.png", "crops", Image.BILINEAR), ("b.png", "bicubic_crops", Image.BICUBIC)):  # windows by our draws, what is in them by torchvision
            image = Image.open(root / name).convert("RGB")
            for size in (8, 30):
                given = subprocess.run([tool, str(root / name), how, str(size)], capture_output=True, check=True).stdout
                each = 32 + size * size * 3
                windows = [np.frombuffer(given[i:i + 32], np.int64).tolist() for i in range(0, len(given), each)]
                pixels = np.stack([np.frombuffer(given[i + 32:i + each], np.uint8).reshape(size, size, 3) for i in range(0, len(given), each)])
                theirs = np.stack([np.asarray(in_order(vision.crop(image, *window), size, interpolation)) for window in windows])
                same(f"{name}, 16 random {how} to {size}", pixels, theirs)
                at_once = np.stack([np.asarray(vision.resized_crop(image, *window, [size, size])) for window in windows])
                good = len(set(map(tuple, windows))) > 10 and (interpolation == Image.BICUBIC or np.abs(pixels.astype(int) - at_once).max() <= 1)
                print("ok  " if good else "FAIL", f"{name}, 16 random {how} to {size} at once")
                bad.extend([] if good else [how])
        height, width, draws = 37, 51, 6000
        torch.manual_seed(1)
        for how, scale, ratio in (("windows", [0.08, 1.0], [3 / 4, 4 / 3]), ("narrow_windows", [0.9, 1.0], [0.2, 0.6])):
            mine = np.frombuffer(subprocess.run([tool, str(root / "b.png"), how, str(draws)], capture_output=True, check=True).stdout, np.int64).reshape(draws, 4)
            theirs = np.array([RandomResizedCrop.get_params(torch.empty(3, height, width), scale, ratio) for _ in range(draws)])
            for what, of in (("area", lambda w: w[:, 2] * w[:, 3] / (height * width)), ("ratio", lambda w: np.log(w[:, 3] / w[:, 2])), ("top", lambda w: w[:, 0]), ("left", lambda w: w[:, 1]),
                             ("squared area", lambda w: (w[:, 2] * w[:, 3] / (height * width)) ** 2), ("squared ratio", lambda w: np.log(w[:, 3] / w[:, 2]) ** 2), ("left times width", lambda w: w[:, 1] * w[:, 3])):
                a, b = of(mine).astype(float), of(theirs).astype(float)
                error = (a.var() / draws + b.var() / draws) ** 0.5
                good = abs(a.mean() - b.mean()) <= 4 * error + 1e-12
                print("ok  " if good else "FAIL", f"{how}: mean {what} {a.mean():.4f}, torchvision's {b.mean():.4f}, error {error:.4f}")
                bad.extend([] if good else [what])

        # Each a class of one image, among what nobody means to be one.
        for name in ("train/b/1.png", "train/a/1.png", "train/.ipynb_checkpoints/1.png", "train/a/.ipynb_checkpoints/1.png", "train/a/._1.png", "train/__MACOSX/a/1.png"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(5, 7)).save(root / name)
        same("hidden folders left out", ours(tool, root / "train", "keep", 0), np.stack([np.asarray(Image.open(root / f"train/{label}/1.png")) for label in "ab"]))

        # All bytes below 128: text, as far as anybody can tell, and no path.
        dark = [bytes(byte & 0x7F for byte in bitmap(24, 5, 3)) for _ in range(3)]
        for name, column in (("bytes", dark), ("objects", [{"bytes": content, "path": None} for content in dark])):
            parquet.write_table(pa.table({"image": column}), root / f"{name}.parquet")
            same(f"dark images as {name}", ours(tool, root / f"{name}.parquet", "keep", 0), np.stack([np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) for content in dark]))

        images, labels = np.stack([picture(32, 32) for _ in range(7)]), np.arange(7, dtype=np.uint8)
        records = np.concatenate([labels[:, None], images.transpose(0, 3, 1, 2).reshape(7, -1)], 1)
        (root / "data_batch_1.bin").write_bytes(records.tobytes())
        same("CIFAR-10's binary form", ours(tool, root / "data_batch_1.bin", "keep", 0), images)
        for name, stored, wanted in (("x", images, images), ("pixels", images.transpose(0, 3, 1, 2), images), ("data", images[..., 0], np.repeat(images[..., :1], 3, -1))):
            with h5py.File(root / f"{name}.h5", "w") as f:
                f[name], f["y"] = stored, labels
            same(f"h5py's {name} {stored.shape}", ours(tool, root / f"{name}.h5", "keep", 0), wanted)
        for chunks in (True, (2, 16, 10, 1), (1, 32, 32, 3), (3, 5, 32, 3), (7, 32, 11, 2), (4, 9, 1, 3)):
            with h5py.File(root / "chunked.h5", "w") as f:
                f.create_dataset("images", data=images, chunks=chunks, compression="gzip", shuffle=chunks is True)
                f["labels"] = labels
            same(f"h5py's chunks {chunks}", ours(tool, root / "chunked.h5", "keep", 0), images)

        whole = (root / "a.jpg").read_bytes()
        png = (root / "b.png").read_bytes()
        deep = io.BytesIO()
        Image.fromarray(picture(9, 9, 1).astype(np.uint16) * 256).save(deep, "png")
        moving = io.BytesIO()
        Image.fromarray(picture(9, 9)).save(moving, "webp", save_all=True, append_images=[Image.fromarray(picture(9, 9))])
        flipped = bytearray(png)
        flipped[len(png) // 2] ^= 4
        for name, content, words in (("cut.jpg", whole[: len(whole) // 2], "damaged JPEG"), ("cut.png", png[:-200], "ends too early"), ("flipped.png", bytes(flipped), "damaged PNG"),
                                     ("deep.png", deep.getvalue(), "16 bits"), ("text.jpg", b"hello", "neither JPEG nor PNG"), ("none.png", b"", "empty"),
                                     ("cut.webp", (root / "lossy.webp").read_bytes()[:-60], "damaged WebP"), ("riff.webp", b"RIFF", "neither JPEG nor PNG"), ("moving.webp", moving.getvalue(), "several images"), ("head.webp", b"RIFF....WEBPVP8 ", "damaged WebP"),
                                     ("cut.bmp", bitmap(24, 13, 9)[:-30], "ends too early"), ("packed.bmp", bitmap(8, 13, 9, compression=1), "compression 1"), ("odd.bmp", bitmap(7, 13, 9), "pixels of 7 bits"),
                                     ("huge.bmp", bitmap(24, 1 << 30, 1 << 30, rows=8), "1073741824 × 1073741824"), ("short.bmp", b"BM", "damaged BMP"), ("cut_inks.jpg", (root / "inks.jpg").read_bytes()[:900], "damaged JPEG"), ("odd.bin", records.tobytes()[:-5], "3073 bytes")):
            (root / name).write_bytes(content)
            answer = ours(tool, root / name, "keep", 0)
            good = isinstance(answer, str) and words in answer and name in answer
            print("ok  " if good else "FAIL", name, answer.strip() if isinstance(answer, str) else "was read")
            bad.extend([] if good else [name])
    print(f"{len(bad)} differences from PIL and torchvision")
    sys.exit(1 if bad else 0)


main()
