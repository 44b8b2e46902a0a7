// Reads one Keras file, predicts, trains and exports it for a Python script to compare.
//
//   parity_keras DIR
//
// DIR/case.json: file, in DIR; config, what is laid over the model's own; classes, height, width; all_but_last, as in
// [freeze]; batches, images of each update; rate, of Adam in Keras's style; head, whether DIR/head.bin has the output
// layer's kernel [in, classes] and bias to begin with. DIR/pixels.bin: uint8 [images, H, W, 3], those of the updates
// one behind the other; DIR/labels.bin: int64. Writes DIR/out.bin, float32: the probabilities of all images, those
// after all updates; DIR/first.bin: the gradients of the first update; DIR/last.bin: all tensors at the end; both in
// the order of DIR/names.json, which has [name, trains] of all tensors; and DIR/exported.h5.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "trainer/learner/learner.h"
#include "trainer/model_files/keras_export.h"
#include "trainer/model_files/keras_weights.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/optim/groups.h"
#include "trainer/optim/optimizer.h"
#include "trainer/tasks/blocks/logits_task.h"
#include "trainer/tasks/tasks.h"

namespace {

using nlohmann::json;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::vector<at::Tensor>& tensors) {
  std::ofstream file(path, std::ios::binary);
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor flat = tensor.detach().to(at::kFloat).contiguous();
    file.write(static_cast<const char*>(flat.data_ptr()), static_cast<std::streamsize>(flat.nbytes()));
  }
}

class Pictures {
 public:
  Pictures(const std::string& directory, const json& test)
      : pixels_(bytes_of(directory + "/pixels.bin")),
        labels_(bytes_of(directory + "/labels.bin")),
        height_(test["height"]),
        width_(test["width"]) {}

  int64_t count() const { return std::ssize(labels_) / static_cast<int64_t>(sizeof(int64_t)); }
  sft::Batch batch(int64_t first, int64_t count) const {
    sft::Batch batch(
        sft::Schema{.columns = {{.name = "pixels", .number = sft::Number::uint8, .shape = {height_, width_, 3}},
                                {.name = "labels", .role = sft::Role::target}}});
    const auto put = [&](const char* column, const std::string& from, int64_t numbers) {
      auto* to = reinterpret_cast<char*>(batch.at(column).grow(static_cast<size_t>(numbers * count)));
      const auto bytes = static_cast<int64_t>(batch.at(column).num_bytes());
      std::copy_n(from.begin() + first * (bytes / count), bytes, to);
    };
    put("labels", labels_, 1);
    put("pixels", pixels_, height_ * width_ * 3);
    batch.weights.assign(static_cast<size_t>(count), 1.0f);
    batch.ids.assign(static_cast<size_t>(count), 0);
    batch.draws = batch.ids;
    return batch;
  }

 private:
  std::string pixels_, labels_;
  int64_t height_, width_;
};

class Run {
 public:
  Run(const std::string& directory, const json& test) : directory_(directory), pictures_(directory, test) {
    const sft::ModelDirectory model(directory + "/" + test["file"].get<std::string>());
    json config = model.config();
    for (const auto& [key, value] : test["config"].items()) config[key] = value;
    const auto files = sft::open_weights(model.path(), config);
    auto network = sft::make_model(config, {.seed = 1, .file_names = files->names()});
    sft::TaskSettings of_task;
    for (int64_t k = 0; k < test["classes"]; ++k) of_task.labels.names.push_back("c" + std::to_string(k));
    auto task = sft::make_task("image_classification", of_task, *network);
    sft::load_pretrained(files, *network, sft::all_saved(*network, *task), {.ignore_mismatched_sizes = test["head"]});
    model_ = network.get(), head_ = dynamic_cast<sft::LogitsTask*>(task.get());
    sft::FreezeConfig freeze;
    freeze.all_but_last = test["all_but_last"];
    const std::vector<bool> trained = sft::trained_parameters(freeze, *network, *task);
    learner_ = std::make_unique<sft::Learner>(std::move(network), std::move(task), trained, sft::LearnerSettings{});
    if (test["head"]) begin_with_head();
  }

  at::Tensor probabilities() {
    const at::NoGradGuard no_graph;
    return at::softmax(logits(pictures_.batch(0, pictures_.count()), sft::Mode::evaluation), 1);
  }

  void train(const json& test) {
    sft::OptimConfig config;
    config.optim = "adam";
    config.adam_epsilon = 1e-7;
    config.adam_epsilon_style = "keras";
    const sft::Parameters trained = learner_->trained();
    const sft::Grouping grouping = sft::group_parameters(config, trained, model_->num_blocks());
    sft::Arena arena(trained, grouping.group_of);
    const auto optimizer = sft::make_optimizer(config, arena, grouping.groups, arena.slices());
    int64_t first = 0;
    for (const int64_t count : test["batches"].get<std::vector<int64_t>>()) {
      const sft::Batch batch = pictures_.batch(first, count);
      arena.zero_gradients();
      const auto weight = static_cast<double>(count);
      (learner_->loss_sum(batch, {weight}) / weight).backward();
      if (first == 0) write_gradients();
      optimizer->step(test["rate"]);
      first += count;
    }
  }

  void finish(const at::Tensor& before) {
    write(directory_ + "/out.bin", {before, probabilities()});
    std::vector<at::Tensor> all;
    for (const sft::Parameter& parameter : learner_->saved()) all.push_back(parameter.in_files());
    write(directory_ + "/last.bin", all);
    json config = model_->config();
    std::ofstream(directory_ + "/exported.h5", std::ios::binary) << sft::keras_hdf5(config, learner_->whole());
  }

 private:
  at::Tensor logits(const sft::Batch& batch, sft::Mode mode) {
    const sft::Inputs inputs = learner_->inputs(batch);
    return head_->logits(*model_, sft::Stages(*model_).forward(inputs, mode), inputs, mode);
  }

  void begin_with_head() {
    const std::string bytes = bytes_of(directory_ + "/head.bin");
    const auto* values = reinterpret_cast<const float*>(bytes.data());
    for (const sft::Parameter& parameter : learner_->task().parameters()) {
      const at::Tensor into = parameter.in_files();
      at::Tensor(into).copy_(at::from_blob(const_cast<float*>(values), into.sizes()));
      values += into.numel();
    }
  }

  void write_gradients() const {
    json names;
    std::vector<at::Tensor> gradients;
    for (const sft::Parameter& parameter : learner_->saved()) {
      const at::Tensor gradient = parameter.value.requires_grad() ? parameter.value.grad() : at::Tensor();
      names.push_back({parameter.name, parameter.value.requires_grad()});
      at::Tensor value = gradient.defined() ? gradient : at::zeros_like(parameter.value);
      gradients.push_back(parameter.is_transposed_in_files ? value.t() : value);
    }
    std::ofstream(directory_ + "/names.json") << names;
    write(directory_ + "/first.bin", gradients);
  }

  std::string directory_;
  Pictures pictures_;
  std::unique_ptr<sft::Learner> learner_;
  sft::Model* model_ = nullptr;
  sft::LogitsTask* head_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const std::string directory = argv[1];
    std::ifstream description(directory + "/case.json");
    const json test = json::parse(description);
    Run run(directory, test);
    const at::Tensor before = run.probabilities();
    run.train(test);
    run.finish(before);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
