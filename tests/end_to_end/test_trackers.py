"""docs/to_mlflow.py against MLflow's own reader of its file store. MLflow is not among the tests' references: SFT_MLFLOW_PYTHON names a Python that has it."""
import json
import math
import os
import pathlib
import subprocess
import sys
import unittest

from harness import EndToEnd, read_rows

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "docs/to_mlflow.py"
PYTHON = os.environ.get("SFT_MLFLOW_PYTHON", "")
READ = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
[run] = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
print(json.dumps({"name": run.info.run_name, "status": run.info.status, "params": run.data.params, "files": [file.path for file in client.list_artifacts(run.info.run_id)],
                  "metrics": {key: [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, key)] for key in run.data.metrics}}))
"""


if not PYTHON:
    print("SFT_MLFLOW_PYTHON names no Python that has MLflow: nothing was tested")
    sys.exit(77)


class Trackers(EndToEnd):
    def test_mlflow_has_settings_curves_and_the_page(self):
        self.succeed(self.config())
        store = f"file://{self.home}/mlruns"
        environment = {**os.environ, "MLFLOW_TRACKING_URI": store, "MLFLOW_ALLOW_FILE_STORE": "true"}
        subprocess.run([PYTHON, SCRIPT, self.run_dir()], cwd=self.home, env=environment, check=True, timeout=300)
        read = subprocess.run([PYTHON, "-c", READ, store], cwd=self.home, env=environment, check=True, capture_output=True, text=True, timeout=300)
        told = json.loads(read.stdout.splitlines()[-1])
        self.assertEqual((told["name"], told["status"], told["files"]), ("run", "FINISHED", ["report.html"]))
        self.assertEqual(told["params"]["optim.learning_rate"], "0.005")
        self.assertEqual(told["params"]["train.global_batch_size"], "8")
        logged = read_rows(self.run_dir() / "metrics.jsonl")
        for key in ("loss", "learning_rate", "eval_loss", "eval_f1", "eval_accuracy"):
            wanted = [(row["step"], row[key]) for row in logged if key in row]
            self.assertGreater(len(wanted), 2)
            for (step, value), (wanted_step, wanted_value) in zip(told["metrics"][key], wanted, strict=True):
                self.assertEqual(step, wanted_step)
                self.assertTrue(math.isclose(value, wanted_value, rel_tol=1e-12))


if __name__ == "__main__":
    unittest.main()
