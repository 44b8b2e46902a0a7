"""COCO's scores by pycocotools, for detection_test.cpp.

    detection_reference.py FILE.json           writes them
    detection_reference.py --check FILE.json   fails where the file no longer says what the installed version says
"""
import contextlib
import io
import json
import pathlib
import random
import sys

try:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
except ModuleNotFoundError:
    print("pycocotools is not installed: tools/setup.sh test")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from reference_file import keep, rows_text

NAMES = ["map", "map_50", "map_75", "map_small", "map_medium", "map_large",
         "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"]
SIZES = [8, 30, 32, 60, 96, 150]  # 32² and 96² are borders of COCO's areas


def box(rng, whole):
    w, h = rng.choice(SIZES), rng.choice(SIZES)
    x, y = rng.randint(0, 200), rng.randint(0, 200)
    return [x, y, w, h] if whole else [round(v + rng.random(), 2) for v in (x, y, w, h)]


def moved(rng, near_to, whole):
    x, y, w, h = near_to
    by = [rng.choice([0, 0, 1, 2, 5]) * rng.choice([-1, 1]) for _ in range(4)]
    out = [x + by[0], y + by[1], max(w + by[2], 1), max(h + by[3], 1)]
    return out if whole else [v if v == 1 else round(v + rng.random() * 0.5, 2) for v in out]


def course(rng, kind, classes):
    """Pictures, each with objects [class, crowd, area, box] and detections [class, score, box]."""
    whole, pictures = kind != "fractions", []
    for _ in range(5):
        objects, found = [], []
        for _ in range(0 if kind == "no object" else rng.choice([0, 1, 2, 5, 9])):
            one = box(rng, whole)
            share = rng.choice([1, 0.5]) if kind == "masks" else 1
            objects.append([rng.randrange(classes), int(kind == "crowds" and rng.random() < 0.3), one[2] * one[3] * share, one])
        for of_class, _, _, one in objects:
            for _ in range(0 if kind == "nothing found" else rng.choice([0, 1, 1, 2, 4])):
                of = of_class if rng.random() < 0.85 else rng.randrange(classes)
                found.append([of, round(rng.random(), 1 if kind == "ties" else 6), moved(rng, one, whole)])
        for _ in range(0 if kind == "nothing found" else rng.choice([0, 2, 6])):
            found.append([rng.randrange(classes), round(rng.random(), 1 if kind == "ties" else 6), box(rng, whole)])
        pictures.append({"objects": objects, "found": found})
    if kind == "many":  # more than are looked at
        pictures = pictures[:2]
        pictures[0]["found"] = [[0, round(rng.random(), 2), box(rng, True)] for _ in range(140)]
        pictures[0]["objects"] += [[0, 0, b[2] * b[3], b] for _, _, b in rng.sample(pictures[0]["found"], 12)]
    return pictures


def scores(pictures, classes):
    truth = {"images": [{"id": i} for i in range(len(pictures))],
             "categories": [{"id": 3 * k + 1, "name": str(k)} for k in range(classes)], "annotations": []}
    found = []
    for i, picture in enumerate(pictures):
        for of, crowd, area, one in picture["objects"]:
            truth["annotations"].append({"id": len(truth["annotations"]) + 1, "image_id": i, "category_id": 3 * of + 1,
                                         "iscrowd": crowd, "area": area, "bbox": one})
        found += [{"image_id": i, "category_id": 3 * of + 1, "score": s, "bbox": one} for of, s, one in picture["found"]]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        results = coco.loadRes(found) if found else COCO()
        if not found:
            results.dataset = dict(truth, annotations=[])
            results.createIndex()
        evaluated = COCOeval(coco, results, "bbox")
        evaluated.evaluate()
        evaluated.accumulate()
        evaluated.summarize()
    told = lambda value: None if value == -1 else float(value)
    by_class = []
    for k in range(classes):
        mean = lambda values: told(values[values > -1].mean() if (values > -1).any() else -1)
        precision, recall = evaluated.eval["precision"][:, :, k, 0, 2], evaluated.eval["recall"][:, k, 0, 2]
        by_class.append([mean(precision), mean(precision[0]), mean(precision[5]), mean(recall)])
    return {"scores": dict(zip(NAMES, map(told, evaluated.stats))), "by_class": by_class}


def cases():
    rng = random.Random(22)
    found = []
    for kind in ["plain", "crowds", "crowds", "masks", "ties", "ties", "fractions", "many", "no object", "nothing found"]:
        for classes in [1, 4]:
            pictures = course(rng, kind, classes)
            found.append(dict(kind=kind, classes=classes, pictures=pictures, **scores(pictures, classes)))
    return json.loads(json.dumps(found))


if __name__ == "__main__":
    wanted = cases()
    keep(wanted, rows_text(wanted), absolute=1e-14)
