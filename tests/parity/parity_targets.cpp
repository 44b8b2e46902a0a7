// Runs one task on one model and one batch for a Python script to compare.
//
//   parity_targets DIR
//
// DIR/case.json: config; dtype; problem_type; loss; huber_delta; smoothing; pos_weight (a list, or
// null); tokens (a list a sequence); values (a list a sequence); tensors, the order of weights.bin as [name, size].
// Little-endian values of `dtype` throughout. Writes DIR/out.bin: the loss, the logits, then the gradient of each
// tensor in the same order.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parity/exchange.h"
#include "tests/support/texts.h"
#include "trainer/learner/learner.h"
#include "trainer/tasks/recipes/target.h"
#include "trainer/tasks/tasks.h"

namespace {

using nlohmann::json;

sft::Batch batch_of(const json& test) {
  std::vector<sft::Text> texts;
  for (size_t b = 0; b < test["tokens"].size(); ++b)
    texts.push_back({.tokens = test["tokens"][b].get<std::vector<int32_t>>(),
                     .values = test["values"][b].get<std::vector<float>>()});
  const int64_t width = std::ssize(texts[0].values);
  const bool sets = test["problem_type"] == sft::kLabelSet;
  return sft::batch_of(sft::text_schema(sets ? sft::label_set_column(width) : sft::values_column(width)), texts);
}

sft::TaskSettings settings_of(const json& test, at::ScalarType dtype) {
  sft::TaskSettings settings;
  settings.dtype = dtype;
  settings.labels.problem_type = test["problem_type"].get<std::string>();
  settings.loss.kind = test["loss"].get<std::string>();
  settings.loss.huber_delta = test["huber_delta"].get<double>();
  settings.loss.label_smoothing_factor = test["smoothing"].get<double>();
  for (size_t k = 0; k < test["values"][0].size(); ++k) {
    settings.labels.names.push_back("l" + std::to_string(k));
    if (test["pos_weight"].is_null()) continue;
    settings.loss.pos_weight.word = "";
    settings.loss.pos_weight.numbers[settings.labels.names.back()] = test["pos_weight"][k].get<double>();
  }
  return settings;
}

void run(const std::string& directory) {
  const json test = sft::parity::case_in(directory);
  const at::ScalarType dtype = sft::parity::dtype_of(test);
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0});
  auto task = sft::make_task("text_classification", settings_of(test, dtype), *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  sft::Learner learner(std::move(model), std::move(task), trained, {});
  sft::parity::compare_on(batch_of(test), learner, test, directory);
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_targets", count, arguments, run); }
