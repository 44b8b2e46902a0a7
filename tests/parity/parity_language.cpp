// Runs one language model on one batch, and lets it go on from prompts, for a Python script to compare.
//
//   parity_language DIR
//
// DIR/case.json: config; dtype; tokens and spans (a list a row, spans as [first, end, first, end, …]); tensors, the
// order of weights.bin as [name, size]; prompts (a list each), generate (settings by transformers' names) and at_once,
// how many sequences run together. Little-endian values of `dtype` throughout. Writes DIR/out.bin: the loss, then the
// gradient of each tensor in the same order, and DIR/said.json: the ids that follow each prompt, and whether a token
// ended them.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/config_file.h"
#include "parity/exchange.h"
#include "tests/support/texts.h"
#include "trainer/learner/generator.h"
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

json said_by(sft::Learner& learner, const json& test) {
  sft::GenerateConfig generate;
  sft::from_json(sft::bind_fields(generate), test["generate"]);
  const sft::Generating& task = *learner.task().generating();
  sft::Generator generator(learner.model(), [&](const at::Tensor& x_BC) { return task.next_logits(x_BC); },
                           {.generate = generate, .seed = 7, .sequences = test["at_once"]});
  std::vector<sft::Prompt> prompts;
  for (const json& tokens : test["prompts"])
    prompts.push_back({tokens.get<std::vector<int32_t>>(), static_cast<int64_t>(prompts.size())});
  json said = json::array();
  for (size_t i = 0; i < prompts.size(); ++i) said.push_back(nullptr);
  generator.run(prompts, [&](size_t i, const sft::Continuation& one) {
    said[i] = {{"tokens", one.tokens}, {"stopped", one.stopped}};
  });
  return said;
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
  std::ofstream(directory + "/said.json") << said_by(learner, test);
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_language", count, arguments, run); }
