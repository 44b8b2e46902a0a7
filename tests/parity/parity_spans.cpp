// Runs one model with the head of question answering on one batch for a Python script to compare.
//
//   parity_spans DIR
//
// DIR/case.json: config; dtype; tokens, segments (a list a window); spans, [first, last] of each; tensors, the order of
// weights.bin as [name, size]. Little-endian values of `dtype` throughout. Writes DIR/out.bin: the loss, the logits,
// then the gradient of each tensor in the same order.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parity/exchange.h"
#include "tests/support/texts.h"
#include "trainer/learner/learner.h"
#include "trainer/tasks/question_answering/question_answering.h"
#include "trainer/tasks/question_answering/rows/window_columns.h"

namespace {

using nlohmann::json;

sft::Batch batch_of(const json& test) {
  const sft::Schema schema = sft::text_schema(sft::span_column(0), 0, /*segments=*/true);
  std::vector<sft::Sample> samples(test["tokens"].size(), sft::Sample(schema));
  for (size_t b = 0; b < samples.size(); ++b) {
    samples[b].cells[0].set(test["tokens"][b].get<std::vector<int32_t>>());
    samples[b].cells[1].set(test["spans"][b].get<std::vector<int32_t>>());
    samples[b].cells[2].set(test["segments"][b].get<std::vector<uint8_t>>());
  }
  return sft::batch_of(schema, samples);
}

void run(const std::string& directory) {
  const json test = sft::parity::case_in(directory);
  const at::ScalarType dtype = sft::parity::dtype_of(test);
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0});
  auto task = sft::make_question_answering({.dtype = dtype}, *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  sft::Learner learner(std::move(model), std::move(task), trained, {});
  sft::parity::compare_on(batch_of(test), learner, test, directory);
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_spans", count, arguments, run); }
