// Scores generated texts for a Python script to compare.
//
//   parity_generation FILE.json
//
// FILE.json: bleu_tokenize; pairs, [hypothesis, reference, tokens, stopped] each; corpora, lists of numbers of pairs.
// Prints a JSON list: {"scores", "details"} of each corpus, whose rows three ranks share.
#include <array>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/metrics/generation/generation_scores.h"

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using sft::GenerationScores;

ordered_json score(const json& pairs, const json& corpus, const sft::GenerationScoreConfig& config) {
  std::array<std::vector<double>, 3> ranks;
  for (auto& counts : ranks) counts.resize(GenerationScores::num_counts());
  for (size_t i = 0; i < corpus.size(); ++i) {
    const json& pair = pairs.at(corpus[i].get<size_t>());
    GenerationScores::add({.hypothesis = pair[0].get_ref<const std::string&>(),
                           .reference = pair[1].get_ref<const std::string&>(),
                           .num_tokens = pair[2].get<int64_t>(),
                           .stopped = pair[3].get<bool>()},
                          config, ranks[i % ranks.size()]);
  }
  std::vector<double> total(GenerationScores::num_counts());
  for (const auto& counts : ranks)
    for (size_t i = 0; i < total.size(); ++i) total[i] += counts[i];
  const GenerationScores scores(config, total);
  return {{"scores", scores.scores()}, {"details", scores.details()}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const json test = json::parse(std::ifstream(argv[1]));
  ordered_json out = ordered_json::array();
  for (const json& corpus : test.at("corpora"))
    out.push_back(score(test.at("pairs"), corpus, {.bleu_tokenize = test.at("bleu_tokenize").get<std::string>()}));
  std::cout << out << "\n";
}
