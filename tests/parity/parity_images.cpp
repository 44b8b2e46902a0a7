// Trains one picture model on given images for a Python script to compare.
//
//   parity_images DIR
//
// DIR/case.json: task; config; dtype; classes, height, width, batches (images of each update), rate, momentum, decay;
// tensors, the order of weights.bin as [name, shape, is_count]. DIR/weights.bin: values of `dtype`, counts as int64.
// DIR/pixels.bin: uint8 [updates, B, H, W, 3]; DIR/labels.bin: int64 [updates, B], of masks
// uint8 [updates, B, H, W], of pictures with boxes double [1 + 5 boxes] of each: their number, then class, left, top,
// right and bottom in pixels of each box. Writes DIR/out.bin, in `dtype`: the loss and the outputs of the first update
// (logits; of detection tokens logits, then boxes), the gradient of each tensor there (zeros for buffers), then all
// tensors after the first and after the last update.
#include <ATen/ATen.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "comm/placement.h"
#include "comm/solo/solo.h"
#include "trainer/loop/update.h"
#include "trainer/tasks/blocks/logits_task.h"
#include "trainer/tasks/object_detection/object_detection.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/tasks.h"

namespace {

using nlohmann::json;

at::Tensor read_values(std::istream& file, at::IntArrayRef shape, at::ScalarType dtype) {
  at::Tensor values = at::empty(shape, dtype);
  file.read(static_cast<char*>(values.data_ptr()), static_cast<std::streamsize>(values.nbytes()));
  if (!file) throw std::runtime_error("a file is too short");
  return values;
}

template <class T>
std::vector<T> read_numbers(std::istream& file, size_t count) {
  std::vector<T> numbers(count);
  file.read(reinterpret_cast<char*>(numbers.data()), static_cast<std::streamsize>(count * sizeof(T)));
  if (!file) throw std::runtime_error("a file is too short");
  return numbers;
}

sft::Schema schema_of(const json& test) {
  const int64_t height = test["height"], width = test["width"];
  sft::Column target = sft::task_named(test["task"]).target;
  if (target.axis.empty() && !target.shape.empty()) target.shape = {height, width};
  sft::Schema schema{
      .columns = {{.name = "pixels", .number = sft::Number::uint8, .shape = {height, width, 3}}, target}};
  if (target.name == sft::kBoxes)
    for (const sft::Column& column :
         {sft::box_labels_column(test["classes"]), sft::box_flags_column(), sft::view_column()})
      schema.columns.push_back(column);
  return schema;
}

// A picture's boxes, of which the picture that is seen is the original.
void read_boxes(std::istream& file, const sft::Schema& schema, sft::Sample& into) {
  const auto count = static_cast<size_t>(read_numbers<double>(file, 1).front());
  std::vector<float> boxes;
  std::vector<int32_t> labels;
  for (size_t i = 0; i < count; ++i) {
    const std::vector<double> box = read_numbers<double>(file, 5);
    labels.push_back(static_cast<int32_t>(box[0]));
    for (size_t edge = 1; edge < 5; ++edge) boxes.push_back(static_cast<float>(box[edge]));
  }
  into.cells[schema.place(sft::kBoxes)].set(boxes);
  into.cells[schema.place(sft::kBoxLabels)].set(labels);
  into.cells[schema.place(sft::kBoxFlags)].set(std::vector<uint8_t>(count));
  into.cells[schema.place(sft::kView)].set(std::vector<float>{1, 1, 0, 0});
}

sft::Batch read_batch(const sft::Schema& schema, int64_t count, std::istream& pixels, std::istream& labels) {
  sft::Batch batch(schema);
  for (int64_t b = 0; b < count; ++b) {
    sft::Sample sample(schema);
    sample.cells[0].set(read_numbers<uint8_t>(pixels, static_cast<size_t>(schema.columns[0].entry_numbers())));
    const sft::Column& target = schema.columns[1];
    const auto numbers = static_cast<size_t>(target.entry_numbers());
    if (target.name == sft::kBoxes)
      read_boxes(labels, schema, sample);
    else if (target.number == sft::Number::uint8)
      sample.cells[1].set(read_numbers<uint8_t>(labels, numbers));
    else
      sample.cells[1].set(read_numbers<int64_t>(labels, numbers));
    batch.append(sample);
  }
  batch.ids.assign(static_cast<size_t>(count), 0);
  batch.draws = batch.ids;
  return batch;
}

std::vector<at::Tensor> outputs_of(sft::Task& task, sft::Model& model, const at::Tensor& features,
                                   const sft::Inputs& inputs) {
  if (auto* detects = dynamic_cast<sft::DetectionTask*>(&task)) {
    const sft::Detections given = detects->detections(features);
    return {given.logits_BDK, given.boxes_BD4};
  }
  return {dynamic_cast<sft::LogitsTask&>(task).logits(model, features, inputs, sft::Mode::training)};
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
  sft::Task& head = *task;
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
  const sft::Schema schema = schema_of(test);
  const auto batches = test["batches"].get<std::vector<int64_t>>();
  for (size_t update = 0; update < batches.size(); ++update) {
    const sft::Batch batch = read_batch(schema, batches[update], pixels, labels);
    run.arena->zero_gradients();
    // As Learner::loss_sum() does it: running statistics move once a pass.
    const sft::Inputs inputs = sft::to_device(batch, at::kCPU);
    const at::Tensor features = sft::Stages(backbone).forward(inputs, sft::Mode::training);
    sft::Weights total = head.weights(batch);
    for (double& term : total)
      if (term == 0) term = 1;  // as the loop has it
    const at::Tensor loss = head.loss_sum(backbone, features, inputs, batch, total) / total.front();
    loss.backward();
    run.gradients->reduce();
    if (update == 0) {
      write(loss);
      for (const at::Tensor& output : outputs_of(head, backbone, features, inputs)) write(output);
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
