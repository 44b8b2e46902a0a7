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
    from tensorboard import context
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups
except ImportError as missing:
    print(f"SKIPPED, the reference is not installed: {missing}")
    sys.exit(77)

with tempfile.TemporaryDirectory() as name:
    run = pathlib.Path(name)
    subprocess.run([sys.argv[1], run], check=True)

    files = sorted((run / "events").glob("events.out.tfevents.*"))
    assert len(files) == 2, files
    # version, start, settings, then two records a step, and at the end test rows and the end itself; a record with a wrong checksum would end the list
    assert [len(list(RawEventFileLoader(str(file)).Load())) for file in files] == [9, 9], files
    damaged = bytearray(files[0].read_bytes())
    damaged[-10] ^= 1
    (run / "damaged").write_bytes(damaged)
    assert len(list(RawEventFileLoader(str(run / "damaged")).Load())) < 9, "the reader checks nothing"

    events = EventAccumulator(str(run / "events"))
    events.Reload()
    scalars = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert set(scalars) == {"train/loss", "train/grad_norm", "train/epoch", "eval/loss", "eval/accuracy", "test/f1", "test/accuracy"}, scalars.keys()
    assert [step for step, _ in scalars["train/loss"]] == [10, 20, 30, 40], scalars
    for (_, value), expected in zip(scalars["train/loss"], (1 / 10, 1 / 20, 1 / 50, 1 / 60)):
        assert math.isclose(value, expected, rel_tol=1e-6), scalars
    assert scalars["train/grad_norm"] == [(10, 2.5), (20, 2.5), (30, 2.5), (40, math.inf)], scalars
    assert all(math.isnan(value) for _, value in scalars["eval/loss"])
    assert scalars["eval/accuracy"] == [(step, 0.5) for step in (10, 20, 30, 40)]

    # The HParams board, by the code that serves it.
    runs = plugin_event_multiplexer.EventMultiplexer()
    runs.AddRunsFromDirectory(name)
    runs.Reload()
    provider = data_provider.MultiplexerDataProvider(runs, name)
    board = backend_context.Context(base_plugin.TBContext(logdir=name, multiplexer=runs, data_provider=provider))
    asked = context.RequestContext()
    experiment = get_experiment.Handler(asked, board, "", api_pb2.GetExperimentRequest()).run()
    kinds = {info.name: api_pb2.DataType.Name(info.type) for info in experiment.hparam_infos}
    assert kinds == {"optim.learning_rate": "DATA_TYPE_FLOAT64", "seed": "DATA_TYPE_FLOAT64", "deterministic": "DATA_TYPE_BOOL", "train.loss": "DATA_TYPE_STRING"}, kinds
    wanted = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=10, allowed_statuses=[api_pb2.STATUS_SUCCESS], col_params=[
        api_pb2.ColParams(metric=api_pb2.MetricName(tag=tag)) for tag in ("eval/accuracy", "test/accuracy")])
    groups = list_session_groups.Handler(asked, board, "", wanted).run().session_groups
    assert len(groups) == 1, groups
    settings = {key: getattr(value, value.WhichOneof("kind")) for key, value in groups[0].hparams.items()}
    assert settings == {"optim.learning_rate": 3e-5, "seed": 7, "deterministic": False, "train.loss": "focal"}, settings
    finals = {value.name.tag: value.value for value in groups[0].metric_values}
    assert finals["eval/accuracy"] == 0.5 and finals["test/accuracy"] == 0.75, finals
    session = groups[0].sessions[0]
    assert session.status == api_pb2.STATUS_SUCCESS and session.end_time_secs >= session.start_time_secs > 1.6e9, session

    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], "loss" in line) for line in lines] == [(step, kind) for step in (10, 20, 30, 40) for kind in (True, False)]
    assert lines[4]["loss"] == 1 / 50 and lines[6]["grad_norm"] == "Infinity" and list(lines[0])[:3] == ["step", "epoch", "loss"]
print("TensorBoard agrees")
