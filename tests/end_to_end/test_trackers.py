"""docs/to_mlflow.py against MLflow's own reader of its file store, docs/to_wandb.py against the records of W&B's offline file, by W&B's own message types.
Neither is among the tests' references: SFT_MLFLOW_PYTHON and SFT_WANDB_PYTHON name a Python that has it."""
import json
import math
import os
import pathlib
import subprocess
import sys
import unittest

from harness import EndToEnd, read_rows

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
MLFLOW, WANDB = (os.environ.get(name, "") for name in ("SFT_MLFLOW_PYTHON", "SFT_WANDB_PYTHON"))
READ_MLFLOW = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
[run] = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
print(json.dumps({"name": run.info.run_name, "status": run.info.status, "params": run.data.params, "files": [file.path for file in client.list_artifacts(run.info.run_id)],
                  "metrics": {key: [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, key)] for key in run.data.metrics}}))
"""
# A log of LevelDB behind a header of 7 bytes: blocks of 32 KiB, in them records of checksum, length and kind (1: whole, 2: first part, 3: middle, 4: last).
READ_WANDB = """
import json, pathlib, sys
from wandb.proto.wandb_internal_pb2 import Record
raw, place, whole, told = pathlib.Path(sys.argv[1]).read_bytes(), 7, b"", {"config": {}, "history": [], "summary": {}, "name": "", "exit": None}
assert raw[:4] == b":W&B", raw[:7]
while place + 7 <= len(raw):
    if place % 32768 > 32768 - 7:
        place += 32768 - place % 32768
    length, kind = int.from_bytes(raw[place + 4:place + 6], "little"), raw[place + 6]
    whole, place = whole + raw[place + 7:place + 7 + length], place + 7 + length
    if kind not in (1, 4):
        continue
    record, whole = Record.FromString(whole), b""
    values = lambda items: {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}
    if record.HasField("run"):
        told["name"] = record.run.display_name
        told["config"].update(values(record.run.config.update))
    if record.HasField("config"):
        told["config"].update(values(record.config.update))
    if record.HasField("history"):
        told["history"].append(values(record.history.item))
    if record.HasField("summary"):
        told["summary"].update(values(record.summary.update))
    if record.HasField("exit"):
        told["exit"] = record.exit.exit_code
print(json.dumps(told))
"""

KEYS = ("loss", "learning_rate", "eval_loss", "eval_f1", "eval_accuracy")

if not MLFLOW and not WANDB:
    print("SFT_MLFLOW_PYTHON and SFT_WANDB_PYTHON name no Python: nothing was tested")
    sys.exit(77)


class Trackers(EndToEnd):
    def assert_told(self, key, told):
        """That (step, value) of each are what the run has logged."""
        wanted = [(row["step"], row[key]) for row in read_rows(self.run_dir() / "metrics.jsonl") if key in row]
        self.assertGreater(len(wanted), 2)
        for (step, value), (wanted_step, wanted_value) in zip(told, wanted, strict=True):
            self.assertEqual(step, wanted_step)
            self.assertTrue(math.isclose(value, wanted_value, rel_tol=1e-12))

    @unittest.skipUnless(MLFLOW, "SFT_MLFLOW_PYTHON names no Python that has MLflow")
    def test_mlflow_has_settings_curves_and_the_page(self):
        self.succeed(self.config())
        store = f"file://{self.home}/mlruns"
        environment = {**os.environ, "MLFLOW_TRACKING_URI": store, "MLFLOW_ALLOW_FILE_STORE": "true"}
        subprocess.run([MLFLOW, DOCS / "to_mlflow.py", self.run_dir()], cwd=self.home, env=environment, check=True, timeout=300)
        read = subprocess.run([MLFLOW, "-c", READ_MLFLOW, store], cwd=self.home, env=environment, check=True, capture_output=True, text=True, timeout=300)
        told = json.loads(read.stdout.splitlines()[-1])
        self.assertEqual((told["name"], told["status"], told["files"]), ("run", "FINISHED", ["report.html"]))
        self.assertEqual(told["params"]["optim.learning_rate"], "0.005")
        self.assertEqual(told["params"]["train.global_batch_size"], "8")
        for key in KEYS:
            self.assert_told(key, told["metrics"][key])

    @unittest.skipUnless(WANDB, "SFT_WANDB_PYTHON names no Python that has W&B")
    def test_wandb_has_settings_curves_the_summary_and_the_page(self):
        self.succeed(self.config())
        environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_DIR": str(self.home), "WANDB_SILENT": "true"}
        subprocess.run([WANDB, DOCS / "to_wandb.py", self.run_dir()], cwd=self.home, env=environment, check=True, timeout=300)
        [log] = self.home.glob("wandb/offline-run-*/run-*.wandb")
        read = subprocess.run([WANDB, "-c", READ_WANDB, log], check=True, capture_output=True, text=True, timeout=300)
        told = json.loads(read.stdout.splitlines()[-1])
        self.assertEqual((told["name"], told["exit"]), ("run", 0))
        self.assertEqual(told["config"]["optim"]["learning_rate"], 0.005)
        self.assertEqual(told["config"]["train"]["global_batch_size"], 8)
        for key in KEYS:
            self.assert_told(key, [(row["step"], row[key]) for row in told["history"] if key in row])
        for key in ("best_metric", "exit_reason"):
            self.assertEqual(told["summary"][key], self.summary()[key])
        self.assertEqual(told["summary"]["report._type"], "html-file")
        self.assertEqual(len([*log.parent.glob("files/media/html/report_*.html")]), 1)


if __name__ == "__main__":
    unittest.main()
