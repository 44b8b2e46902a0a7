#include "trainer/tasks/blocks/language_task.h"

#include <algorithm>
#include <span>

#include "trainer/metrics/generation/generation_scores.h"
#include "trainer/tasks/blocks/head_layers.h"
#include "trainer/tasks/blocks/token_counts.h"

namespace sft {
namespace {

template <class Counts>
auto of_answers(Counts& counts) {
  return std::span(counts).subspan(TokenCounts::kSize);
}

}  // namespace

LanguageTask::LanguageTask(const TaskSettings& settings, const Model& model, int64_t num_words)
    : smoothing_(settings.loss.label_smoothing_factor),
      answers_(settings.scores.answers.generate),
      answer_scores_(settings.scores.generation),
      stops_(settings.stop_tokens.begin(), settings.stop_tokens.end()),
      tokenizer_(settings.tokenizer),
      weight_VC_(model.output_embedding()),
      bias_V_(model.output_bias()) {
  if (tokenizer_ != nullptr) said_.emplace(*tokenizer_);
  if (weight_VC_.defined()) return;
  weight_VC_ = output_layer({.output = "lm_head", .has_bias = false}, num_words, model, settings, parameters_).weight;
  parameters_.back().may_be_narrow = true;
}

double LanguageTask::flops(int64_t rows) const {
  return 2.0 * static_cast<double>(rows) * static_cast<double>(weight_VC_.numel());
}

Statistics LanguageTask::empty_statistics() const {
  return {std::vector<double>(TokenCounts::kSize + GenerationScores::num_counts())};
}

nlohmann::ordered_json LanguageTask::metrics(const Statistics& total) const {
  nlohmann::ordered_json all = TokenCounts::metrics(total.counts);
  if (answers_) all.update(GenerationScores(answer_scores_, of_answers(total.counts)).scores());
  return all;
}

nlohmann::ordered_json LanguageTask::details(const Statistics& total) const {
  nlohmann::ordered_json all{{"trained_tokens", TokenCounts::tokens(total.counts)}};
  if (answers_) all.update(GenerationScores(answer_scores_, of_answers(total.counts)).details());
  return all;
}

void LanguageTask::describe(nlohmann::json& config) const {
  for (const char* key : {"num_labels", "id2label", "label2id", "problem_type"}) config.erase(key);
}

void LanguageTask::cut_at_stop(std::vector<int32_t>& answer) const {
  answer.erase(std::ranges::find_first_of(answer, stops_), answer.end());
}

// An answer that is a special token, as one that calls a tool, is right where that token is said and not where nothing
// is.
Reference LanguageTask::reference_of(const std::vector<int32_t>& answer) const {
  std::string words = spelled(answer);
  if (answer.empty() || words.find_first_not_of(" \t\r\n") != std::string::npos) return {std::move(words)};
  std::string whole = spelled_whole(answer);
  const bool is_white_space = whole == words;
  return {std::move(whole), is_white_space};
}

std::string LanguageTask::compared(const Continuation& said, const std::optional<Reference>& own) const {
  return own && !own->has_words ? spelled_whole(said.tokens) : spelled(said.tokens);
}

nlohmann::ordered_json LanguageTask::row(const Batch& batch, size_t b, const Continuation& said) const {
  const std::optional<Reference> own = reference(batch, b);
  nlohmann::ordered_json told{{"prediction", compared(said, own)}};
  if (own) {
    told["reference"] = own->text;
    told["prompt"] = asked(batch, b);
  }
  told["finish"] = said.stopped ? "stop" : "length";
  told["tokens"] = said.tokens.size();
  return told;
}

void LanguageTask::compare(const Batch& batch, size_t b, const Continuation& said, Statistics& into) const {
  const std::optional<Reference> own = reference(batch, b);
  if (!own) return;
  const std::string hypothesis = compared(said, own);
  GenerationScores::add({hypothesis, own->text, static_cast<int64_t>(said.tokens.size()), said.stopped}, answer_scores_,
                        of_answers(into.counts));
}

}  // namespace sft
