#include <nlohmann/json.hpp>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "data/text/word_map.h"
#include "trainer/learner/embedded_texts.h"
#include "trainer/loop/explaining.h"
#include "trainer/loop/told_row.h"

namespace sft {
namespace {

// Of [MASK] or <mask>, else of the padding that config.json names.
int32_t blank_of(const WordMap& words, const Model& model) {
  if (const auto id = words.mask_id()) return *id;
  const nlohmann::json& config = model.config();
  if (const auto id = config.find("pad_token_id"); id != config.end() && id->is_number_integer())
    return id->get<int32_t>();
  throw ConfigError(concat(
      "explanations: neither the tokenizer has a [MASK] or <mask>, nor config.json a pad_token_id, to stand where "
      "words of this model (",
      config.value("model_type", "?"), ") are hidden"));
}

class ExplainingTexts final : public Explaining {
 public:
  ExplainingTexts(Learner& learner, const Tokenizer& tokenizer, std::string way)
      : learner_(learner), way_(std::move(way)), words_(tokenizer), blank_(blank_of(words_, learner.model())) {
    explained_task(learner);
  }

  void explain(const Batch& batch, std::vector<std::string>& predictions) override {
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
    EmbeddedTexts embedded(learner_, batch, std::move(words), blank_);
    const std::vector<Attribution> told = attribute(way_, embedded);
    for (size_t b = 0; b < predictions.size(); ++b)
      add_explanation(predictions[b], way_, {{"words", texts[b].words}, {"scores", told[b].scores}}, told[b]);
  }

 private:
  Learner& learner_;
  std::string way_;
  WordMap words_;
  int32_t blank_;
};

}  // namespace

std::unique_ptr<Explaining> explain_texts(Learner& learner, const Tokenizer& tokenizer, const std::string& way) {
  return std::make_unique<ExplainingTexts>(learner, tokenizer, way);
}

}  // namespace sft
