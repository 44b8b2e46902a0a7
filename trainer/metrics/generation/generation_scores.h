// How near generated texts are to their references, over a split, from counts that can be summed over ranks.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/schema.h"
#include "trainer/metrics/generation/bleu.h"
#include "trainer/metrics/generation/chrf.h"

namespace sft {

// A part of [eval].
struct GenerationScoreConfig {
  std::string bleu_tokenize = "13a";

  static constexpr auto fields() {
    return std::tuple{field("bleu_tokenize", &GenerationScoreConfig::bleu_tokenize,
                            "how BLEU cuts texts, in sacrebleu's words; zh for Chinese, char for other languages "
                            "without spaces",
                            one_of("13a", "zh", "char", "none"))};
  }
};

struct GeneratedText {
  std::string_view hypothesis, reference;  // valid UTF-8
  int64_t num_tokens = 0;                  // that were generated
  bool stopped = false;                    // by a stop token or a stop string, not by its length
};

class GenerationScores {
 public:
  static constexpr size_t num_counts() { return kSize; }
  // Counts one row.
  static void add(const GeneratedText& row, const GenerationScoreConfig& config, std::span<double> counts);

  // `counts` as add() fills them, summed over rows and ranks.
  GenerationScores(const GenerationScoreConfig& config, std::span<const double> counts);

  // exact_match (white space folded), rouge1, rouge2, rougeL: means over rows, 0 to 1; bleu, chrf, chrf++: of the
  // corpus, 0 to 100; mean_generated_tokens; stopped_share. All 0 without rows.
  nlohmann::ordered_json scores() const;

  // {"bleu": {signature, precisions, brevity_penalty, hypothesis_length, reference_length}, "chrf": {signature},
  // "chrf++": {signature}, "rouge": {signature}}.
  nlohmann::ordered_json details() const;

 private:
  // Sums over rows in front of the counts of the two scores of a corpus.
  enum : size_t {
    kRows,
    kExact,
    kRouge1,
    kRouge2,
    kRougeL,
    kTokens,
    kStopped,
    kBleu,
    kChrf = kBleu + BleuCounts::kSize,
    kSize = kChrf + ChrfCounts::kSize
  };
  double mean(size_t sum) const { return counts_[kRows] == 0 ? 0 : counts_[sum] / counts_[kRows]; }
  std::span<const double> bleu() const { return std::span(counts_).subspan(kBleu, BleuCounts::kSize); }
  std::span<const double> chrf() const { return std::span(counts_).subspan(kChrf, ChrfCounts::kSize); }

  const BleuTokenizer& tokenizer_;
  std::vector<double> counts_;
};

}  // namespace sft
