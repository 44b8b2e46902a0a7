// Runs one model with the head of a task on one batch for a Python script to compare.
//
//   parity_tokens DIR
//
// DIR/case.json: config; task; num_labels; class_weights, label_smoothing; dtype; tokens, segments (a list a sequence);
// labels, as Batch has them; tensors, the order of weights.bin as [name, size]. Little-endian values of `dtype`
// throughout. Writes DIR/out.bin: the loss, the logits, then the gradient of each tensor in the same order.
#include <ATen/ATen.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/texts.h"
#include "trainer/learner/learner.h"
#include "trainer/tasks/tasks.h"

namespace {

using nlohmann::json;

sft::Batch batch_of(const json& test) {
  const auto labels = test["labels"].get<std::vector<int32_t>>();  // of all tokens
  auto next = labels.begin();
  std::vector<sft::Text> texts;
  for (size_t b = 0; b < test["tokens"].size(); ++b) {
    const auto tokens = test["tokens"][b].get<std::vector<int32_t>>();
    const auto first = next;
    next += static_cast<std::ptrdiff_t>(tokens.size());
    texts.push_back(
        {.tokens = tokens, .segments = test["segments"][b].get<std::vector<uint8_t>>(), .token_labels = {first, next}});
  }
  const sft::Column target = sft::target_column(sft::TargetForm::token_labels, 0);
  return sft::batch_of(sft::text_schema(target, 0, /*segments=*/true), texts);
}

at::Tensor read_values(std::istream& file, at::IntArrayRef shape, at::ScalarType dtype) {
  at::Tensor values = at::empty(shape, dtype);
  file.read(static_cast<char*>(values.data_ptr()), static_cast<std::streamsize>(values.nbytes()));
  if (!file) throw std::runtime_error("weights.bin is too short");
  return values;
}

void write_values(std::ostream& file, const at::Tensor& values) {
  const at::Tensor flat = values.contiguous();
  file.write(static_cast<const char*>(flat.const_data_ptr()), static_cast<std::streamsize>(flat.nbytes()));
}

sft::TaskSettings settings_of(const json& test, at::ScalarType dtype) {
  sft::TaskSettings settings;
  for (int64_t i = 0; i < test["num_labels"].get<int64_t>(); ++i)
    settings.labels.names.push_back("LABEL_" + std::to_string(i));
  const auto weights = test["class_weights"].get<std::vector<double>>();
  if (!weights.empty()) settings.loss.class_weights.word = "";
  for (size_t i = 0; i < weights.size(); ++i)
    settings.loss.class_weights.numbers["LABEL_" + std::to_string(i)] = weights[i];
  settings.loss.label_smoothing_factor = test["label_smoothing"];
  settings.dtype = dtype;
  return settings;
}

void run(const std::string& directory) {
  const json test = json::parse(std::ifstream(directory + "/case.json"));
  const at::ScalarType dtype = test["dtype"] == "float64" ? at::kDouble : at::kFloat;
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0});
  auto task = sft::make_task(test["task"], settings_of(test, dtype), *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  sft::Learner learner(std::move(model), std::move(task), trained, {});

  std::map<std::string, at::Tensor> leaves;
  for (const sft::Parameter& parameter : learner.parameters()) leaves[parameter.name] = parameter.value;
  if (leaves.size() != test["tensors"].size()) throw std::runtime_error("the model has other tensors");
  std::ifstream weights(directory + "/weights.bin", std::ios::binary);
  for (const json& tensor : test["tensors"])
    leaves.at(tensor[0]).detach().copy_(read_values(weights, tensor[1].get<std::vector<int64_t>>(), dtype));

  const sft::Batch batch = batch_of(test);
  const at::Tensor logits = learner.logits(batch);
  const sft::LossSum part = learner.loss_sum(batch);  // dropout is 0 by the config
  const at::Tensor loss = part.sum / part.weight;
  loss.backward();

  std::ofstream out(directory + "/out.bin", std::ios::binary);
  write_values(out, loss.detach());
  write_values(out, logits);
  for (const json& tensor : test["tensors"]) {
    const at::Tensor& leaf = leaves.at(tensor[0]);
    write_values(out, leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: parity_tokens DIR\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const std::exception& error) {
    std::cerr << "parity_tokens: " << error.what() << "\n";
    return 1;
  }
}
