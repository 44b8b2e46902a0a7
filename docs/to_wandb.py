"""Copies runs into Weights & Biases: python to_wandb.py RUN_DIR…; without a network WANDB_MODE=offline, then wandb sync."""
import json
import pathlib
import sys
import tomllib

import wandb

for directory in map(pathlib.Path, sys.argv[1:]):
    with wandb.init(name=directory.name, config=tomllib.loads((directory / "config.toml").read_text())) as run:
        run.define_metric("*", step_metric="step")  # wandb counts calls of log() otherwise
        for line in (directory / "metrics.jsonl").open():
            event = json.loads(line)
            run.log({key: value if key == "step" else float(value) for key, value in event.items() if not isinstance(value, list)})
        summary = json.loads((directory / "summary.json").read_text())
        for key in ("best_metric", "metric_for_best_model", "test_metrics", "exit_reason"):
            if summary.get(key) is not None:
                run.summary[key] = summary[key]
        if (directory / "report.html").exists():
            run.log({"report": wandb.Html((directory / "report.html").open())})
