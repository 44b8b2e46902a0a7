// Runs one model with the head of a task on one batch for a Python script to compare.
//
//   parity_tokens DIR
//
// DIR/case.json: config; task; num_labels; class_weights, label_smoothing; dtype; tokens, segments (a list a sequence);
// labels, as Batch has them; tensors, the order of weights.bin as [name, size]. Little-endian values of `dtype`
// throughout. Writes DIR/out.bin: the loss, the logits, then the gradient of each tensor in the same order.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parity/exchange.h"
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
  return sft::batch_of(sft::text_schema(sft::token_labels_column(0), 0, /*segments=*/true), texts);
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
  const json test = sft::parity::case_in(directory);
  const at::ScalarType dtype = sft::parity::dtype_of(test);
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0});
  auto task = sft::make_task(test["task"], settings_of(test, dtype), *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  sft::Learner learner(std::move(model), std::move(task), trained, {});
  sft::parity::compare_on(batch_of(test), learner, test, directory);
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_tokens", count, arguments, run); }
