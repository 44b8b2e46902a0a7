"""Losses and metrics of plugins: the page's example, twins of what is built in, and what is refused."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from harness import LABELS, PROGRAM, EndToEnd, make_model, make_rows, read_rows, write_rows
from test_targets import relabelled
from test_token_classification import make_tagged

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / "trainer/plugins/include"
PAGE = (ROOT / "docs/plugins.md").read_text()
EXAMPLE = re.search(r"^```cpp\n(.*?)^```$", PAGE, re.M | re.S)[1]

TWINS = r"""
#include <sft-dist/plugin.h>
#include <algorithm>
#include <cmath>
using sft::plugin::Row;
struct CrossEntropy : sft::plugin::Loss {
  double value(const Row& row, double* gradient) const override {
    const double most = *std::max_element(row.logits, row.logits + row.num_outputs);
    double sum = 0;
    for (int64_t k = 0; k < row.num_outputs; ++k) sum += std::exp(row.logits[k] - most);
    for (int64_t k = 0; k < row.num_outputs; ++k) gradient[k] = std::exp(row.logits[k] - most) / sum - (k == row.label);
    return std::log(sum) + most - row.logits[row.label];
  }
};
struct Bce : sft::plugin::Loss {
  double value(const Row& row, double* gradient) const override {
    double sum = 0;
    for (int64_t k = 0; k < row.num_outputs; ++k) {
      const double x = row.logits[k], t = row.targets[k];
      sum += (std::max(x, 0.0) - x * t + std::log1p(std::exp(-std::abs(x)))) / row.num_outputs;
      gradient[k] = (1 / (1 + std::exp(-x)) - t) / row.num_outputs;
    }
    return sum;
  }
};
struct Mse : sft::plugin::Loss {
  double value(const Row& row, double* gradient) const override {
    double sum = 0;
    for (int64_t k = 0; k < row.num_outputs; ++k) {
      const double off = row.logits[k] - row.targets[k];
      sum += off * off / row.num_outputs;
      gradient[k] = 2 * off / row.num_outputs;
    }
    return sum;
  }
};
static const CrossEntropy cross_entropy;
static const Bce bce;
static const Mse mse;
SFT_DIST_PLUGIN(registry) {
  registry.add("own_cross_entropy", cross_entropy);
  registry.add("own_bce", bce);
  registry.add("own_mse", mse);
}
"""

# A loss and a metric that throw on one rank, where the environment says so.
THROWS = r"""
#include <sft-dist/plugin.h>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
using sft::plugin::Row;
static void maybe_throw(const char* where) {
  static int calls = 0;
  const char *place = std::getenv("THROWS_IN"), *rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (place && !std::strcmp(place, where) && rank && !std::strcmp(rank, "1") && ++calls > std::atoi(std::getenv("AFTER"))) throw std::runtime_error("the table has no such row");
}
struct Squares : sft::plugin::Loss {
  double value(const Row& row, double* gradient) const override {
    maybe_throw("loss");
    double sum = 0;
    for (int64_t k = 0; k < row.num_outputs; ++k) sum += row.logits[k] * row.logits[k], gradient[k] = 2 * row.logits[k];
    return sum;
  }
};
struct Rows : sft::plugin::Metric {
  int64_t num_sums(int64_t) const override { return 1; }
  void add(const Row&, double* sums) const override { maybe_throw("add"), sums[0] += 1; }
  double value(const double* sums, int64_t) const override { return maybe_throw("value"), sums[0]; }
  bool more_is_better() const override { return true; }
};
static const Squares squares;
static const Rows rows;
SFT_DIST_PLUGIN(registry) {
  registry.add("squares", squares);
  registry.add("num_rows", rows);
}
"""


def built(source, path, headers=HEADERS):
    """The shared object of a plugin's source, made as the page says."""
    code = path.with_suffix(".cpp")
    code.write_text(source)
    words = re.search(r"^c\+\+ .*$", PAGE, re.M)[0].replace("PREFIX/include", str(headers)).replace("mine.cpp", str(code)).replace("libmine.so", str(path)).split()
    done = subprocess.run([*words, "-Wall", "-Wextra", "-Werror"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return path


class Plugins(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.example = built(EXAMPLE, cls.shared / "libexample.so")
        cls.twins = built(TWINS, cls.shared / "libtwins.so")
        cls.throws = built(THROWS, cls.shared / "libthrows.so")

    def tensors(self, name):
        from safetensors.numpy import load_file
        return load_file(self.run_dir(name) / "model/model.safetensors")

    def assert_same_weights(self, first, second, atol):
        import numpy
        one, other = self.tensors(first), self.tensors(second)
        self.assertEqual(one.keys(), other.keys())
        for name in one:
            numpy.testing.assert_allclose(one[name], other[name], rtol=0, atol=atol, err_msg=name)

    def test_the_example_trains_and_is_told_as_torch_and_sklearn_tell_it(self):
        import torch
        from sklearn.metrics import balanced_accuracy_score

        self.assertLess(len(EXAMPLE.splitlines()), 55)
        sections = {"top": {"plugins": [str(self.example)]}, "train": {"loss": "squared_hinge"}, "eval": {"metric_for_best_model": "balanced_accuracy", "load_best_model_at_end": True}}
        for ranks in (1, 2, 3):
            self.succeed(self.config(f"ranks{ranks}", **sections), ranks=ranks)
        told = self.lines("ranks1")
        for ranks in (2, 3):
            self.assertEqual(told.keys(), self.lines(f"ranks{ranks}").keys())
            for step, loss in self.lines(f"ranks{ranks}").items():
                self.assertAlmostEqual(loss, told[step], places=5)
            for key in ("eval_squared_hinge", "eval_balanced_accuracy"):
                for step, value in self.lines(f"ranks{ranks}", key).items():
                    self.assertAlmostEqual(value, self.lines("ranks1", key)[step], places=5)
        self.assertLess(told[max(told)], told[1])
        best = max(self.lines("ranks1", "eval_balanced_accuracy").values())
        self.assertEqual(self.summary("ranks1")["best_metric"], best)
        self.assertTrue(self.summary("ranks1")["greater_is_better"])

        out = self.home / "p.jsonl"
        self.succeed("predict", self.run_dir("ranks1"), "--input", self.shared / "test.jsonl", "--output", out, "--logits")
        logits = torch.tensor([row["logits"] for row in read_rows(out)], dtype=torch.float64)
        labels = torch.tensor([LABELS.index(row["label"]) for row in read_rows(self.shared / "test.jsonl")])
        evaluated = json.loads(self.succeed("evaluate", self.run_dir("ranks1"), "--split", "test", ranks=2).out)
        self.assertAlmostEqual(evaluated["eval_squared_hinge"], torch.nn.MultiMarginLoss(p=2)(logits, labels).item(), places=5)
        self.assertAlmostEqual(evaluated["eval_balanced_accuracy"], balanced_accuracy_score(labels, logits.argmax(1)), places=9)
        self.assertAlmostEqual(evaluated["eval_loss"], torch.nn.CrossEntropyLoss()(logits, labels).item(), places=5)

    def test_twins_of_built_in_losses_leave_the_same_weights(self):
        labelled = [{**row, "heavy": 1 + i % 3} for i, row in enumerate(make_rows(90, 1))]
        for form, rows in (("labels", labelled), ("sets", relabelled(make_rows(90, 1), "sets")), ("numbers", relabelled(make_rows(90, 1), "numbers")), ("tags", make_tagged(90, 1))):
            write_rows(self.home / f"{form}.jsonl", rows)
        make_model(self.home / "base", base_class=True)
        for form, name, plain in (("labels", "own_cross_entropy", "cross_entropy"), ("sets", "own_bce", "bce"), ("numbers", "own_mse", "mse"), ("tags", "own_cross_entropy", "cross_entropy")):
            with self.subTest(form):
                sections = {"model": {"dtype": "float64", "model_name_or_path": str(self.home / "base"), **({"task": "token_classification"} if form == "tags" else {})},
                            "data": {"train_file": str(self.home / f"{form}.jsonl"), "validation_file": None, "test_file": None, **({"weight_column": "heavy"} if form == "labels" else {})}}
                self.succeed(self.config(f"{form}-plain", **sections, train={"loss": plain}))
                self.succeed(self.config(f"{form}-own", **sections, top={"plugins": [str(self.twins)]}, train={"loss": name}), ranks=2)
                self.assert_same_weights(f"{form}-plain", f"{form}-own", 1e-6)
                for step, loss in self.lines(f"{form}-own").items():
                    self.assertAlmostEqual(loss, self.lines(f"{form}-plain")[step], places=9)

    def test_the_same_bits_on_any_ranks(self):
        for ranks in (1, 2, 4):
            self.succeed(self.config(f"ranks{ranks}", top={"plugins": [str(self.example)], "deterministic": True}, train={"loss": "squared_hinge", "num_train_epochs": 1}), ranks=ranks)
            self.assertEqual(self.weights(f"ranks{ranks}"), self.weights("ranks1"))

    def refused(self, *told, name="run", environment=None, ranks=1, **sections):
        done = self.run_program(self.config(name, **sections), environment=environment, ranks=ranks)
        if ranks == 1:
            self.assertEqual(done.code, 78, done.err)
        else:
            self.assertEqual(self.exit_status(name), 78, done.err)
        for words in told:
            self.assertIn(words, done.err)
        self.assertEqual(done.err.count(" error: "), 1, done.err)
        return done

    def test_bad_plugins_are_told_by_name(self):
        gone = self.home / "libgone.so"
        text = self.home / "libtext.so"
        text.write_text("no object")
        none = built('extern "C" int something() { return 0; }\n', self.home / "libnone.so")
        headers = self.home / "headers"
        shutil.copytree(HEADERS, headers)
        header = headers / "sft-dist/plugin.h"
        header.write_text(header.read_text().replace("kAbiVersion = 1", "kAbiVersion = 7"))
        other = built(EXAMPLE, self.home / "libother.so", headers)
        wrong = built(EXAMPLE.replace("gradient[row.label] -=", "gradient[row.label] +="), self.home / "libwrong.so")
        twice = built(EXAMPLE, self.home / "libtwice.so")
        taken = built(EXAMPLE.replace('"balanced_accuracy"', '"accuracy"'), self.home / "libtaken.so")
        for file, told in ((gone, ("is no file",)), (text, ("cannot be loaded",)), (none, ("has no function sft_dist_plugin",)), (other, ("was made for version 7", "has version 1")),
                           (wrong, ("'squared_hinge'", "by differences in float64 it is")), (taken, ("'accuracy'", "the task has a metric of that name"))):
            for ranks in (1, 2):
                with self.subTest(file=file.name, ranks=ranks):
                    self.refused(str(file), *told, top={"plugins": [str(file)]}, train={"loss": "squared_hinge"}, ranks=ranks)
        self.refused(str(twice), "brings 'squared_hinge', which", str(self.example), top={"plugins": [str(self.example), str(twice)]})
        self.refused("train.loss: wanted one of auto, cross_entropy", "'squared_hing'", "(did you mean 'squared_hinge'?)", top={"plugins": [str(self.example)]}, train={"loss": "squared_hing"})
        self.refused("run.toml:", "train.loss: wanted one of auto, cross_entropy", "found 'squared_hinge'", train={"loss": "squared_hinge"})
        self.refused("train.label_smoothing_factor", "a loss of plugins is", top={"plugins": [str(self.example)]}, train={"loss": "squared_hinge", "label_smoothing_factor": 0.1})

    def test_ranks_with_other_files_do_not_begin(self):
        for folder, source in (("a", EXAMPLE), ("b", EXAMPLE.replace("margin <= 0", "margin <= -1"))):
            (self.home / folder).mkdir()
            built(source, self.home / folder / "libmine.so")
        config = self.config(top={"plugins": ["./libmine.so"]})
        ranks = [word for folder in ("a", "b") for word in (":", "-np", "1", "--wdir", str(self.home / folder), PROGRAM, str(config))][1:]
        done = subprocess.run(["mpirun", "--oversubscribe", *ranks], capture_output=True, text=True, timeout=120)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("content of the plugin ./libmine.so: SHA-256 ", done.stderr)
        self.assertEqual(done.stderr.count("do not agree"), 1, done.stderr)

    def test_a_throw_on_one_rank_ends_all_ranks_together(self):
        for place, after in (("loss", 350), ("add", 20), ("value", 8)):  # the check before the training asks for the loss 288 times
            with self.subTest(place):
                self.refused("rank 1: plugins: ", "failed: the table has no such row", name=place, ranks=3, environment={"THROWS_IN": place, "AFTER": str(after)}, top={"plugins": [str(self.throws)]},
                             train={"loss": "squares", "num_train_epochs": 9}, comm={"timeout_seconds": 60})
        self.succeed(self.config("loss", top={"plugins": [str(self.throws)]}, train={"loss": "squares", "num_train_epochs": 9}), ranks=2)

    def test_what_trains_is_part_of_the_run(self):
        mine = self.home / "libmine.so"
        shutil.copy(self.example, mine)
        sections = {"top": {"plugins": [str(mine)]}, "train": {"loss": "squared_hinge"}, "save": {"save_strategy": "steps", "save_steps": 5}}
        stopped = self.config(**{**sections, "train": {**sections["train"], "max_steps": 10}})
        self.succeed(stopped)
        self.assertEqual([len(file["sha256"]) for file in self.summary()["plugins"]], [64])
        moved = self.home / "moved.so"
        mine.rename(moved)
        further = {**sections, "top": {"plugins": [str(moved)]}}
        self.succeed(self.config(**{**further, "train": {**sections["train"], "max_steps": 15}}))
        self.assertEqual(self.summary()["global_step"], 15)
        built(EXAMPLE.replace("margin <= 0", "margin <= 1e-9"), moved)
        self.refused("plugin_of_loss was ", " and is ", **{**further, "train": {**sections["train"], "max_steps": 20}})
        # Who predicts or exports needs no plugin, and who evaluates does.
        moved.unlink()
        self.succeed("predict", self.run_dir(), "--input", self.shared / "test.jsonl", "--output", self.home / "p.jsonl")
        self.succeed("export", self.run_dir(), "--output", self.home / "exported")
        self.assertIn("moved.so", self.run_program("evaluate", self.run_dir()).err)

    def test_another_metric_of_the_best_model_looks_for_it_anew(self):
        mine = built(EXAMPLE, self.home / "libmine.so")
        sections = {"top": {"plugins": [str(mine)]}, "eval": {"metric_for_best_model": "balanced_accuracy", "load_best_model_at_end": True}}
        self.succeed(self.config(**sections))
        self.assertEqual(self.summary()["metric_for_best_model"], "eval_balanced_accuracy")
        built(EXAMPLE.replace("recalls / classes", "recalls / classes / 2"), mine)
        done = self.succeed(self.config(**sections, train={"num_train_epochs": 4}))
        self.assertIn("is looked for anew", done.err)

    def test_tasks_whose_targets_plugins_do_not_see(self):
        self.refused("plugins see labels of rows or words", top={"plugins": [str(self.example)]},
                     model={"task": "question_answering"}, data={"train_file": str(self.questions()), "validation_file": None, "test_file": None, "doc_stride": 8})

    def questions(self):
        path = self.home / "questions.jsonl"
        write_rows(path, [{"id": str(i), "question": "word1 word2", "context": "word3 word4 word5", "answers": {"text": ["word4"], "answer_start": [6]}} for i in range(8)])
        return path


if __name__ == "__main__":
    unittest.main()
