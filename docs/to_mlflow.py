"""Copies runs into MLflow: python to_mlflow.py RUN_DIR…; into MLFLOW_TRACKING_URI, a server or a file store."""
import json
import pathlib
import sys
import tomllib

import mlflow


def settings(table, above=""):
    for key, value in table.items():
        yield from settings(value, f"{above}{key}.") if isinstance(value, dict) else [(above + key, value)]


for directory in map(pathlib.Path, sys.argv[1:]):
    with mlflow.start_run(run_name=directory.name):
        for key, value in settings(tomllib.loads((directory / "config.toml").read_text())):
            mlflow.log_param(key, value)
        for line in (directory / "metrics.jsonl").open():
            event = json.loads(line)
            step = event.pop("step")
            mlflow.log_metrics({key: float(value) for key, value in event.items() if not isinstance(value, list)}, step=step)
        if (directory / "report.html").exists():
            mlflow.log_artifact(directory / "report.html")
