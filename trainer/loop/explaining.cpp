#include "trainer/loop/explaining.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr char kGradient[] = "gradient", kIntegrated[] = "integrated", kOcclusion[] = "occlusion";

// Of [MASK] or <mask>, else of the padding that config.json names.
int32_t blank_of(const WordMap& words, const Model& model) {
  if (const auto id = words.mask_id()) return *id;
  const nlohmann::json& config = model.config();
  if (const auto id = config.find("pad_token_id"); id != config.end() && id->is_number_integer())
    return id->get<int32_t>();
  throw ConfigError(
      concat("--explain: neither the tokenizer has a [MASK] or <mask>, nor config.json a pad_token_id, to stand where "
             "words of this model (",
             config.value("model_type", "?"), ") are hidden"));
}

}  // namespace

const std::vector<std::string>& Explaining::ways() {
  static const std::vector<std::string> all{kGradient, kIntegrated, kOcclusion};
  return all;
}

Explaining::Explaining(Learner& learner, const Tokenizer& tokenizer, std::string how)
    : how_(std::move(how)), words_(tokenizer), attributor_(learner, blank_of(words_, learner.model())) {}

void Explaining::explain(const Batch& batch, std::vector<std::string>& predictions) {
  const std::span<const int32_t> tokens = batch.at("tokens").as<int32_t>();
  const Offsets& offsets = batch.offsets("token");
  std::vector<TokenWords> texts;
  BatchWords words;
  for (size_t b = 0; b < predictions.size(); ++b) {
    const auto first = static_cast<size_t>(offsets[b]), end = static_cast<size_t>(offsets[b + 1]);
    const TokenWords& text = texts.emplace_back(words_.of(tokens.subspan(first, end - first)));
    words.word_of.insert(words.word_of.end(), text.word_of.begin(), text.word_of.end());
    words.num_words.push_back(text.words.size());
  }
  const std::vector<Attribution> told = how_ == kGradient     ? attributor_.gradient(batch, words)
                                        : how_ == kIntegrated ? attributor_.integrated(batch, words)
                                                              : attributor_.occlusion(batch, words);
  for (size_t b = 0; b < predictions.size(); ++b) {
    auto row = nlohmann::ordered_json::parse(predictions[b]);
    row["explanation"] = {{"by", how_}, {"words", texts[b].words}, {"scores", told[b].scores}};
    if (how_ == kIntegrated) row["explanation"]["convergence_delta"] = told[b].convergence_delta;
    predictions[b] = row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
}

}  // namespace sft
