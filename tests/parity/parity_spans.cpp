// Runs one model with the head of question answering on one batch for a Python script to compare.
//
//   parity_spans DIR
//
// DIR/case.json: config; dtype; tokens, segments (a list a window); spans, [first, last] of each; tensors, the order of
// weights.bin as [name, size]. Little-endian values of `dtype` throughout. Writes DIR/out.bin: the loss, the logits,
// then the gradient of each tensor in the same order.
#include <ATen/ATen.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/learner/learner.h"
#include "trainer/tasks/question_answering/question_answering.h"

namespace {

using nlohmann::json;

sft::Batch batch_of(const json& test) {
  const sft::Schema schema{
      .columns = {{.name = "tokens", .number = sft::Number::int32, .axis = "token"},
                  {.name = "span", .number = sft::Number::int32, .shape = {2}, .role = sft::Role::target},
                  {.name = "segments", .number = sft::Number::uint8, .axis = "token"}},
      .units = {"token"}};
  sft::Batch batch(schema);
  sft::Sample sample(schema);
  for (size_t b = 0; b < test["tokens"].size(); ++b) {
    sample.cells[0].set(test["tokens"][b].get<std::vector<int32_t>>());
    sample.cells[1].set(test["spans"][b].get<std::vector<int32_t>>());
    sample.cells[2].set(test["segments"][b].get<std::vector<uint8_t>>());
    sample.row = static_cast<int64_t>(b);
    batch.append(sample);
    batch.ids.push_back(sample.row);
    batch.draws.push_back(sample.row);
  }
  return batch;
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

void run(const std::string& directory) {
  const json test = json::parse(std::ifstream(directory + "/case.json"));
  const at::ScalarType dtype = test["dtype"] == "float64" ? at::kDouble : at::kFloat;
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0});
  auto task = sft::make_question_answering({.dtype = dtype}, {}, *model);
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
    std::cerr << "usage: parity_spans DIR\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const std::exception& error) {
    std::cerr << "parity_spans: " << error.what() << "\n";
    return 1;
  }
}
