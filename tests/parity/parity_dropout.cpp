// Runs one model in training mode on one batch under many masks, for a Python script to compare.
//
//   parity_dropout DIR
//
// DIR/case.json: config, with its rates of dropout; dtype; num_labels; tensors and batches as in parity_model.cpp;
// masks, how many; stages, which of them are in training mode, and head, whether it is; plant: "" (each sample has a
// draw of its own in each mask), "samples" (all samples of a batch share one) or "updates" (all masks do).
//
// Writes DIR/out.bin: the logits [masks, B, labels].
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parity/exchange.h"
#include "tests/support/texts.h"
#include "trainer/learner/stages.h"
#include "trainer/tasks/blocks/logits_task.h"
#include "trainer/tasks/tasks.h"

namespace {

using nlohmann::json;

sft::Batch batch_of(const json& given) {
  std::vector<sft::Text> texts;
  for (size_t b = 0; b < given["tokens"].size(); ++b)
    texts.push_back({.tokens = given["tokens"][b].get<std::vector<int32_t>>(),
                     .segments = given["segments"][b].get<std::vector<uint8_t>>(),
                     .label = given["labels"][b].get<int64_t>()});
  return sft::batch_of(sft::text_schema(sft::label_column(0), 0, /*segments=*/true), texts);
}

int64_t draw_of(const std::string& plant, int64_t mask, int64_t sample, int64_t samples) {
  if (plant == "samples") return mask * samples;
  return plant == "updates" ? sample : mask * samples + sample;
}

std::unique_ptr<sft::Learner> learner_of(const json& test) {
  const at::ScalarType dtype = sft::parity::dtype_of(test);
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0, .dropout_seed = 11});
  std::vector<std::string> names;
  for (int64_t i = 0; i < test["num_labels"]; ++i) names.push_back("label" + std::to_string(i));
  auto task =
      sft::make_task("text_classification", {.labels = {.names = names}, .dtype = dtype, .dropout_seed = 12}, *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  return std::make_unique<sft::Learner>(std::move(model), std::move(task), trained, sft::LearnerSettings{});
}

void run(const std::string& directory) {
  const at::NoGradGuard no_graph;
  at::set_num_threads(1);  // so few numbers are done before a second thread is awake
  const json test = sft::parity::case_in(directory);
  const std::unique_ptr<sft::Learner> learner = learner_of(test);
  sft::parity::filled(*learner, test, directory);
  sft::Batch batch = batch_of(test["batches"][0]);
  sft::Stages stages(learner->model(), {.trains = test["stages"].get<std::vector<bool>>()});
  auto& task = dynamic_cast<sft::LogitsTask&>(learner->task());
  const auto head = test["head"].get<bool>() ? sft::Mode::training : sft::Mode::evaluation;
  std::ofstream out(directory + "/out.bin", std::ios::binary);
  for (int64_t mask = 0; mask < test["masks"]; ++mask) {
    for (int64_t b = 0; b < batch.size(); ++b)
      batch.draws[static_cast<size_t>(b)] = draw_of(test["plant"], mask, b, batch.size());
    const sft::Inputs inputs = learner->inputs(batch);
    const at::Tensor features = stages.forward(inputs, sft::Mode::training);
    sft::parity::write_values(out, task.logits(learner->model(), features, inputs, head));
  }
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_dropout", count, arguments, run); }
