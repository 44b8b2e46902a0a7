"""TensorBoard's own reader sees what was logged, checksums and all, and forgets what a resumed run did again.

    tensorboard_test.py WRITE_EVENTS     (the program of write_events.cpp)
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
except ImportError as missing:
    print(f"SKIPPED, the reference is not installed: {missing}")
    sys.exit(77)

with tempfile.TemporaryDirectory() as name:
    run = pathlib.Path(name)
    subprocess.run([sys.argv[1], run], check=True)

    files = sorted((run / "events").glob("events.out.tfevents.*"))
    assert len(files) == 2, files
    # version, start, then two records a step; a record with a wrong checksum would end the list
    assert [len(list(RawEventFileLoader(str(file)).Load())) for file in files] == [8, 6], files
    damaged = bytearray(files[0].read_bytes())
    damaged[-10] ^= 1
    (run / "damaged").write_bytes(damaged)
    assert len(list(RawEventFileLoader(str(run / "damaged")).Load())) < 8, "the reader checks nothing"

    events = EventAccumulator(str(run / "events"))
    events.Reload()
    scalars = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert set(scalars) == {"train/loss", "train/grad_norm", "train/epoch", "eval/loss", "eval/accuracy", "test/f1"}, scalars.keys()
    assert [step for step, _ in scalars["train/loss"]] == [10, 20, 30, 40], scalars
    for (_, value), expected in zip(scalars["train/loss"], (1 / 10, 1 / 20, 1 / 50, 1 / 60)):
        assert math.isclose(value, expected, rel_tol=1e-6), scalars
    assert scalars["train/grad_norm"] == [(10, 2.5), (20, 2.5), (30, 2.5), (40, math.inf)], scalars
    assert all(math.isnan(value) for _, value in scalars["eval/loss"])
    assert scalars["eval/accuracy"] == [(step, 0.5) for step in (10, 20, 30, 40)]

    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], "loss" in line) for line in lines] == [(step, kind) for step in (10, 20, 30, 40) for kind in (True, False)]
    assert lines[4]["loss"] == 1 / 50 and lines[6]["grad_norm"] == "Infinity" and list(lines[0])[:3] == ["step", "epoch", "loss"]
print("TensorBoard agrees")
