// Lets a model that reads a source and writes a target write targets, for a Python script to compare.
//
//   parity_translations DIR
//
// DIR/case.json: config; dtype; tensors, the order of weights.bin as [name, size]; and of parity/answers.h. Writes
// DIR/said.json.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parity/answers.h"
#include "parity/exchange.h"
#include "trainer/learner/learner.h"
#include "trainer/tasks/seq2seq_lm/seq2seq_lm.h"

namespace {

void run(const std::string& directory) {
  const nlohmann::json test = sft::parity::case_in(directory);
  const at::ScalarType dtype = sft::parity::dtype_of(test);
  auto model = sft::make_model(test["config"], {.dtype = dtype, .seed = 0});
  auto task = sft::make_seq2seq_lm({.dtype = dtype}, *model);
  const std::vector<bool> trained(sft::all_parameters(*model, *task).size(), false);
  sft::Learner learner(std::move(model), std::move(task), trained, {});
  sft::parity::filled(learner, test, directory);
  std::ofstream(directory + "/said.json") << sft::parity::answers(learner, test);
}

}  // namespace

int main(int count, char** arguments) { return sft::parity::main_of("parity_translations", count, arguments, run); }
