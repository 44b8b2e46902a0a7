// Prepares rows for reference.py: {"model", "rows", "output", "train_on", "trailing", "max_length", "truncation"} on
// standard input, a line each; answers with a list of {"ids", "trained"}, a line each.
#include <iostream>
#include <nlohmann/json.hpp>

#include "data/prepare/prepare.h"
#include "data/samples/dataset.h"
#include "trainer/tasks/causal_lm/recipe.h"
#include "trainer/tasks/causal_lm/rows/columns.h"

namespace {

using nlohmann::json;

json samples_of(const sft::Dataset& dataset) {
  json samples = json::array();
  for (int64_t i = 0; i < dataset.size(); ++i) {
    sft::Batch read(dataset.schema());
    dataset.append(i, read);
    const sft::Batch& one = read;
    const auto ids = one.at(sft::causal::kTokens).as<int32_t>();
    const auto spans = one.at(sft::causal::kSpans).as<int32_t>();
    std::vector<int> trained(ids.size());
    for (size_t s = 0; s < spans.size(); s += 2)
      for (int32_t t = spans[s]; t < spans[s + 1]; ++t) trained[static_cast<size_t>(t)] = 1;
    samples.push_back({{"ids", std::vector<int32_t>(ids.begin(), ids.end())}, {"trained", trained}});
  }
  return samples;
}

json prepared(const json& wanted) {
  const auto tokenizer = sft::Tokenizer::from_directory(wanted["model"]);
  sft::PrepareRequest request;
  request.files = {wanted["rows"]};
  request.output_directory = wanted["output"];
  request.task = "causal_lm";
  sft::DataConfig config;
  config.chat.train_on = wanted["train_on"];
  config.chat.train_on_trailing = wanted["trailing"];
  config.max_length = wanted["max_length"];
  config.truncation = wanted["truncation"];
  const auto recipe = sft::causal_lm_recipe(request, config, tokenizer.get());
  return samples_of(*sft::open_dataset(sft::prepare_shards(request, config, *recipe, sft::alone()).shards));
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) std::cout << prepared(json::parse(line)).dump() << std::endl;
}
