"""TensorBoard's HParams board of runs in a folder, by the code that serves it: what differs between them, and how they ended."""
import sys
import unittest

from harness import EndToEnd

try:
    from tensorboard import context
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups
except ImportError as missing:
    print(f"skipped: the reference is not installed: {missing}")
    sys.exit(77)


class HParams(EndToEnd):
    def board(self, tags):
        """The types of the settings, and the session groups with the last values of these scalars, by the run's name."""
        runs = plugin_event_multiplexer.EventMultiplexer()
        runs.AddRunsFromDirectory(str(self.home))
        runs.Reload()
        served = data_provider.MultiplexerDataProvider(runs, str(self.home))
        board = backend_context.Context(base_plugin.TBContext(logdir=str(self.home), multiplexer=runs, data_provider=served))
        asked = context.RequestContext()
        experiment = get_experiment.Handler(asked, board, "", api_pb2.GetExperimentRequest()).run()
        columns = [api_pb2.ColParams(metric=api_pb2.MetricName(tag=tag)) for tag in tags]
        statuses = [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_UNKNOWN, api_pb2.STATUS_RUNNING, api_pb2.STATUS_FAILURE]
        wanted = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=10, allowed_statuses=statuses, col_params=columns)
        groups = list_session_groups.Handler(asked, board, "", wanted).run().session_groups
        return {info.name: api_pb2.DataType.Name(info.type) for info in experiment.hparam_infos}, {group.sessions[0].name.split("/")[0]: group for group in groups}

    def test_runs_are_told_apart_by_their_settings(self):
        self.succeed(self.config("slow", optim={"learning_rate": 1e-3}, train={"loss": "focal"}), ranks=2)
        self.succeed(self.config("fast", optim={"learning_rate": 5e-3}, data={"test_file": None}))
        stopped = self.run_program(self.config("stopped", train={"max_time": "1s", "num_train_epochs": 500}))
        self.assertEqual(stopped.code, 75, stopped.err)
        kinds, groups = self.board(("eval/accuracy", "test/accuracy"))
        self.assertEqual(set(groups), {"slow", "fast", "stopped"})
        settings = {name: {key: getattr(value, value.WhichOneof("kind")) for key, value in group.hparams.items()} for name, group in groups.items()}
        self.assertEqual(settings["slow"]["optim.learning_rate"], 1e-3)
        self.assertEqual(settings["fast"]["optim.learning_rate"], 5e-3)
        self.assertEqual(settings["slow"]["train.loss"], "focal")
        self.assertNotIn("train.loss", settings["fast"], "the usual one")
        self.assertEqual(settings["fast"]["seed"], 42)
        self.assertEqual(settings["fast"]["model.model_name_or_path"], str(self.shared / "model"))
        self.assertNotIn("output_dir", settings["fast"])
        self.assertEqual(kinds["optim.learning_rate"], "DATA_TYPE_FLOAT64")
        finals = {name: {value.name.tag: value.value for value in group.metric_values} for name, group in groups.items()}
        for name in ("slow", "fast"):
            self.assertAlmostEqual(finals[name]["eval/accuracy"], self.summary(name)["metrics"]["accuracy"], places=6)
        self.assertAlmostEqual(finals["slow"]["test/accuracy"], self.summary("slow")["test_metrics"]["accuracy"], places=6)
        self.assertNotIn("test/accuracy", finals["fast"])
        ended = {name: group.sessions[0].status == api_pb2.STATUS_SUCCESS and group.sessions[0].end_time_secs > 0 for name, group in groups.items()}
        self.assertEqual(ended, {"slow": True, "fast": True, "stopped": False})


if __name__ == "__main__":
    unittest.main()
