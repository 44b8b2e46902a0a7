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
