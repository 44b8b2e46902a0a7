// Trains one picture model on given images for a Python script to compare.
//
//   parity_images DIR
//
// DIR/case.json: task; config; dtype; classes, height, width, batches (images of each update), rate, momentum, decay;
// tensors, the order of weights.bin as [name, shape, is_count]. DIR/weights.bin: values of `dtype`, counts as int64.
// DIR/pixels.bin: uint8 [updates, B, H, W, 3]; DIR/labels.bin: int64 [updates, B], of masks
// uint8 [updates, B, H, W]. Writes DIR/out.bin, in `dtype`: the
// loss and the logits of the first update, the gradient of each tensor there (zeros for buffers), then all tensors
// after the first and after the last update.
#include <ATen/ATen.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "comm/placement.h"
#include "comm/solo/solo.h"
#include "trainer/loop/update.h"
#include "trainer/tasks/blocks/logits_task.h"
#include "trainer/tasks/tasks.h"

namespace {

using nlohmann::json;

at::Tensor read_values(std::istream& file, at::IntArrayRef shape, at::ScalarType dtype) {
  at::Tensor values = at::empty(shape, dtype);
  file.read(static_cast<char*>(values.data_ptr()), static_cast<std::streamsize>(values.nbytes()));
  if (!file) throw std::runtime_error("a file is too short");
  return values;
}

void run(const std::string& directory) {
  std::ifstream description(directory + "/case.json");
  const json test = json::parse(description);
  const auto dtype = test["dtype"] == "float64" ? at::kDouble : at::kFloat;
  std::vector<std::string> file_names, class_names;
  for (const json& tensor : test["tensors"]) file_names.push_back(tensor[0]);
  for (int64_t k = 0; k < test["classes"]; ++k) class_names.push_back("c" + std::to_string(k));
  const sft::BatchNormMode mode = test["frozen"] ? sft::BatchNormMode::frozen : sft::BatchNormMode::local;
  auto model = sft::make_model(test["config"],
                               {.dtype = dtype, .seed = 1, .batch_norm = {.mode = mode}, .file_names = file_names});
  sft::TaskSettings of_task;
  of_task.labels.names = class_names;
  of_task.dtype = dtype;
  auto task = sft::make_task(test["task"], of_task, *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  sft::Model& backbone = *model;
  auto& head = dynamic_cast<sft::LogitsTask&>(*task);
  auto learner = std::make_unique<sft::Learner>(std::move(model), std::move(task), trained, sft::LearnerSettings{});
  std::map<std::string, at::Tensor> by_name;
  for (const sft::Parameter& parameter : learner->saved()) by_name[parameter.name] = parameter.value;
  std::ifstream weights(directory + "/weights.bin", std::ios::binary);
  for (const json& tensor : test["tensors"]) {
    const auto shape = tensor[1].get<std::vector<int64_t>>();
    by_name.at(tensor[0]).detach().copy_(read_values(weights, shape, tensor[2] ? at::kLong : dtype));
  }

  sft::UpdateSettings settings{.batch_norm = mode};
  settings.optim.optim = "sgd";
  settings.optim.momentum = test["momentum"];
  settings.optim.weight_decay = test["decay"];
  const auto world = sft::solo::connect({});
  const sft::Update run = sft::make_update(std::move(learner), nullptr, settings, *world, *world);

  std::ifstream pixels(directory + "/pixels.bin", std::ios::binary),
      labels(directory + "/labels.bin", std::ios::binary);
  std::ofstream out(directory + "/out.bin", std::ios::binary);
  const auto write = [&](const at::Tensor& values) {
    const at::Tensor flat = values.detach().to(dtype).contiguous();
    out.write(static_cast<const char*>(flat.data_ptr()), static_cast<std::streamsize>(flat.nbytes()));
  };
  const auto write_all = [&] {
    for (const std::string& name : file_names) write(by_name.at(name));
  };
  const auto batches = test["batches"].get<std::vector<int64_t>>();
  for (size_t update = 0; update < batches.size(); ++update) {
    const int64_t count = batches[update], height = test["height"], width = test["width"];
    sft::Column target = sft::task_named(test["task"]).target;
    if (!target.shape.empty()) target.shape = {height, width};
    sft::Batch batch(sft::Schema{
        .columns = {{.name = "pixels", .number = sft::Number::uint8, .shape = {height, width, 3}}, target}});
    const auto read = [&](std::ifstream& file, const char* column, int64_t numbers) {
      auto* to = reinterpret_cast<char*>(batch.at(column).grow(static_cast<size_t>(numbers)));
      file.read(to, static_cast<std::streamsize>(batch.at(column).num_bytes()));
    };
    read(labels, target.name.c_str(), count * target.entry_numbers());
    read(pixels, "pixels", count * height * width * 3);
    batch.weights.assign(static_cast<size_t>(count), 1.0f);
    batch.ids.assign(static_cast<size_t>(count), 0);
    batch.draws = batch.ids;
    run.arena->zero_gradients();
    // As Learner::loss_sum() does it: running statistics move once a pass.
    const sft::Inputs inputs = sft::to_device(batch, at::kCPU);
    const at::Tensor features = sft::Stages(backbone).forward(inputs, sft::Mode::training);
    const at::Tensor logits = head.logits(backbone, features, inputs, sft::Mode::training);
    const at::Tensor loss = head.loss_of(logits, batch) / head.weight(batch);
    loss.backward();
    run.gradients->reduce();
    if (update == 0) {
      write(loss);
      write(logits);
      for (const std::string& name : file_names) {
        const at::Tensor& gradient = by_name.at(name).grad();
        write(gradient.defined() ? gradient : at::zeros_like(by_name.at(name)));
      }
    }
    run.optimizer->step(test["rate"]);
    if (update == 0) write_all();
  }
  write_all();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    run(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
