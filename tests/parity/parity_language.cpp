// Runs one language model on one batch, and lets it go on from prompts, for a Python script to compare.
//
//   parity_language DIR
//
// DIR/case.json: config; dtype; tokens and spans (a list a row, spans as [first, end, first, end, …]); tensors, the
// order of weights.bin as [name, size]; and of parity/answers.h. Little-endian values of `dtype` throughout. Writes
// DIR/out.bin: the loss, then the gradient of each tensor in the same order, and DIR/said.json: the ids that follow
// each prompt, and whether a token ended them.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parity/answers.h"
#include "parity/exchange.h"
#include "tests/support/texts.h"
#include "trainer/learner/learner.h"
#include "trainer/tasks/causal_lm/causal_lm.h"
#include "trainer/tasks/causal_lm/rows/columns.h"

namespace {

using nlohmann::json;

sft::Batch batch_of(const json& test) {
  const sft::Schema schema = sft::causal::sample_schema(0, 0);
  std::vector<sft::Sample> samples(test["tokens"].size(), sft::Sample(schema));
  for (size_t b = 0; b < samples.size(); ++b) {
    samples[b].cells[0].set(test["tokens"][b].get<std::vector<int32_t>>());
    samples[b].cells[1].set(test["spans"][b].get<std::vector<int32_t>>());
  }
  return sft::batch_of(schema, samples);
}

void run(const std::string& directory) {
  const json test = sft::parity::case_in(directory);
  const at::ScalarType dtype = sft::parity::dtype_of(test);
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0});
  auto task = sft::make_causal_lm({.dtype = dtype}, *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), true);
  sft::Learner learner(std::move(model), std::move(task), trained, {});
  const sft::parity::Leaves leaves = sft::parity::filled(learner, test, directory);
  const at::Tensor loss = sft::parity::mean_loss(learner, batch_of(test));
  loss.backward();
  std::ofstream out(directory + "/out.bin", std::ios::binary);
  sft::parity::write_values(out, loss);
  sft::parity::write_gradients(out, test, leaves);
  std::ofstream(directory + "/said.json") << sft::parity::answers(learner, test);
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_language", count, arguments, run); }
