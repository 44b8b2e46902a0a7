#include "trainer/metrics/generation/generation_scores.h"

#include <cassert>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "data/text/letters.h"
#include "trainer/metrics/generation/rouge.h"

namespace sft {
namespace {

bool is_exact(std::string_view hypothesis, std::string_view reference) {
  return words_between_spaces(characters_of(hypothesis)) == words_between_spaces(characters_of(reference));
}

}  // namespace

void GenerationScores::add(const GeneratedText& row, const GenerationScoreConfig& config, std::span<double> counts) {
  assert(counts.size() == kSize);
  const RougeScore rouge = rouge_score(row.hypothesis, row.reference);
  counts[kRows] += 1;
  counts[kExact] += is_exact(row.hypothesis, row.reference);
  counts[kRouge1] += rouge.rouge1;
  counts[kRouge2] += rouge.rouge2;
  counts[kRougeL] += rouge.rougeL;
  counts[kTokens] += static_cast<double>(row.num_tokens);
  counts[kStopped] += row.stopped;
  const BleuTokenizer& tokenizer = bleu_tokenizer(config.bleu_tokenize);
  BleuCounts::add(row.hypothesis, row.reference, tokenizer, counts.subspan(kBleu, BleuCounts::kSize));
  ChrfCounts::add(row.hypothesis, row.reference, counts.subspan(kChrf, ChrfCounts::kSize));
}

GenerationScores::GenerationScores(const GenerationScoreConfig& config, std::span<const double> counts)
    : tokenizer_(bleu_tokenizer(config.bleu_tokenize)), counts_(counts.begin(), counts.end()) {
  assert(counts.size() == kSize);
}

nlohmann::ordered_json GenerationScores::scores() const {
  nlohmann::ordered_json out;
  out["exact_match"] = mean(kExact);
  out["rouge1"] = mean(kRouge1);
  out["rouge2"] = mean(kRouge2);
  out["rougeL"] = mean(kRougeL);
  out["bleu"] = bleu_score(bleu()).score;
  out["chrf"] = chrf_score(chrf(), Chrf::characters);
  out["chrf++"] = chrf_score(chrf(), Chrf::characters_and_words);
  out["mean_generated_tokens"] = mean(kTokens);
  out["stopped_share"] = mean(kStopped);
  return out;
}

nlohmann::ordered_json GenerationScores::details() const {
  const BleuScore score = bleu_score(bleu());
  nlohmann::ordered_json out;
  out["bleu"] = {{"signature", bleu_signature(tokenizer_)},
                 {"precisions", score.precisions},
                 {"brevity_penalty", score.brevity_penalty},
                 {"hypothesis_length", bleu()[BleuCounts::kHypothesisLength]},
                 {"reference_length", bleu()[BleuCounts::kReferenceLength]}};
  out["chrf"] = {{"signature", chrf_signature(Chrf::characters)}};
  out["chrf++"] = {{"signature", chrf_signature(Chrf::characters_and_words)}};
  out["rouge"] = {{"signature", rouge_signature()}};
  return out;
}

}  // namespace sft
