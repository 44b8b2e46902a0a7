// Runs one model on one batch for a Python script to compare.
//
//   parity_model DIR
//
// DIR/case.json: config; dtype; read ("pooler", "cls" or "all"); tokens, segments (a list a sequence); labels; tensors,
// the order of weights.bin as [name, size]. Little-endian values of `dtype` throughout. Writes DIR/out.bin: the loss,
// what was read (logits of classifier.weight/bias, or all rows), then the gradient of each tensor in the same order.
#include <ATen/ATen.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/model.h"

namespace {

using nlohmann::json;

sft::Batch batch_of(const json& test) {
  sft::Batch batch;
  batch.text().offsets.push_back(0);
  for (size_t b = 0; b < test["tokens"].size(); ++b) {
    const auto tokens = test["tokens"][b].get<std::vector<int64_t>>(),
               segments = test["segments"][b].get<std::vector<int64_t>>();
    batch.text().tokens.insert(batch.text().tokens.end(), tokens.begin(), tokens.end());
    batch.text().segments.insert(batch.text().segments.end(), segments.begin(), segments.end());
    for (size_t i = 0; i < tokens.size(); ++i) batch.text().positions.push_back(static_cast<int64_t>(i));
    batch.text().offsets.push_back(static_cast<int64_t>(batch.text().tokens.size()));
    batch.ids.push_back(static_cast<int64_t>(b));
    batch.draws.push_back(static_cast<int64_t>(b));
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
  const auto model = sft::make_model(test["config"], at::kCPU, dtype, 0);

  std::map<std::string, at::Tensor> leaves;
  for (const sft::Parameter& parameter : model->parameters()) leaves[parameter.name] = parameter.value;
  std::ifstream weights(directory + "/weights.bin", std::ios::binary);
  for (const json& tensor : test["tensors"]) {
    const std::string name = tensor[0];
    const auto shape = tensor[1].get<std::vector<int64_t>>();
    const at::Tensor values = read_values(weights, shape, dtype);
    if (!name.starts_with("bert.")) leaves[name] = at::empty_like(values).set_requires_grad(true);
    leaves.at(name).detach().copy_(values);
  }

  const sft::Inputs inputs = sft::to_device(batch_of(test), at::kCPU);
  const std::string read = test["read"];
  const sft::Features features = model->forward(inputs, read == "all" ? sft::Reads::all : sft::Reads::first);
  at::Tensor seen = features.rows, loss;
  if (read == "all") {
    loss = (seen - at::arange(seen.numel(), seen.options()).view(seen.sizes()).sin()).pow(2).mean();
  } else {
    const at::Tensor first = read == "pooler" ? model->pool(seen) : seen;
    seen = at::linear(first, leaves.at("classifier.weight"), leaves.at("classifier.bias"));
    loss = at::cross_entropy_loss(seen, at::tensor(test["labels"].get<std::vector<int64_t>>(), at::kLong));
  }
  loss.backward();

  std::ofstream out(directory + "/out.bin", std::ios::binary);
  write_values(out, loss.detach());
  write_values(out, seen.detach());
  for (const json& tensor : test["tensors"]) {
    const at::Tensor& leaf = leaves.at(tensor[0].get<std::string>());
    write_values(out, leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: parity_model DIR\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const std::exception& error) {
    std::cerr << "parity_model: " << error.what() << "\n";
    return 1;
  }
}
