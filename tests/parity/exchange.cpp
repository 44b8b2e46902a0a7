#include "parity/exchange.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <fstream>
#include <iostream>
#include <stdexcept>

#include "trainer/learner/stages.h"
#include "trainer/tasks/blocks/logits_task.h"

namespace sft::parity {

using nlohmann::json;

json case_in(const std::string& directory) { return json::parse(std::ifstream(directory + "/case.json")); }

at::ScalarType dtype_of(const json& test) { return test["dtype"] == "float64" ? at::kDouble : at::kFloat; }

Leaves filled(const Learner& learner, const json& test, const std::string& directory) {
  Leaves leaves;
  for (const Parameter& parameter : learner.parameters()) leaves[parameter.name] = parameter;
  std::ifstream weights(directory + "/weights.bin", std::ios::binary);
  for (const json& tensor : test["tensors"]) {
    at::Tensor target = leaves.at(tensor[0].get<std::string>()).in_files();
    const at::Tensor values = at::empty(tensor[1].get<std::vector<int64_t>>(), target.options());
    weights.read(static_cast<char*>(values.data_ptr()), static_cast<std::streamsize>(values.nbytes()));
    if (!weights) throw std::runtime_error("weights.bin is too short");
    TORCH_CHECK(target.sizes() == values.sizes(), tensor[0].dump(), " has another shape here");
    target.copy_(values);
  }
  return leaves;
}

void write_values(std::ostream& file, const at::Tensor& values) {
  const at::Tensor flat = values.detach().contiguous();
  file.write(static_cast<const char*>(flat.const_data_ptr()), static_cast<std::streamsize>(flat.nbytes()));
}

void write_gradients(std::ostream& file, const json& test, const Leaves& leaves) {
  for (const json& tensor : test["tensors"]) {
    const Parameter& leaf = leaves.at(tensor[0].get<std::string>());
    const at::Tensor gradient = leaf.value.grad().defined() ? leaf.value.grad() : at::zeros_like(leaf.value);
    write_values(file, leaf.is_transposed_in_files ? gradient.t() : gradient);
  }
}

at::Tensor mean_loss(Learner& learner, const Batch& batch) {
  const Weights total = learner.task().weights(batch);
  return learner.loss_sum(batch, total) / total.front();
}

at::Tensor logits_of(Learner& learner, const Batch& batch) {
  const at::NoGradGuard no_graph;
  const Inputs inputs = learner.inputs(batch);
  const at::Tensor features = Stages(learner.model()).forward(inputs, Mode::evaluation);
  if (learner.task().generating() != nullptr) return learner.task().generating()->next_logits(features);
  return dynamic_cast<LogitsTask&>(learner.task()).logits(learner.model(), features, inputs, Mode::evaluation);
}

void compare_on(const Batch& batch, Learner& learner, const json& test, const std::string& directory) {
  const Leaves leaves = filled(learner, test, directory);
  if (leaves.size() != test["tensors"].size()) throw std::runtime_error("the model has other tensors");
  const at::Tensor logits = logits_of(learner, batch);
  const at::Tensor loss = mean_loss(learner, batch);  // dropout is 0 by the config
  loss.backward();
  std::ofstream out(directory + "/out.bin", std::ios::binary);
  write_values(out, loss);
  write_values(out, logits);
  write_gradients(out, test, leaves);
}

int main_of(const char* program, int count, char** arguments, const std::function<void(const std::string&)>& run) {
  if (count != 2) {
    std::cerr << "usage: " << program << " DIR\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace sft::parity
