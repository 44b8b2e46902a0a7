// N packed tokens of B sequences, K labels, C channels.
#include "trainer/tasks/token_classification/token_classification.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/entity_report.h"
#include "trainer/metrics/mean.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/class_weights.h"
#include "trainer/tasks/blocks/cross_entropy.h"
#include "trainer/tasks/blocks/describe_labels.h"
#include "trainer/tasks/blocks/head_layers.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/token_classification/entity_rows.h"

namespace sft {
namespace {

// Statistics: [loss sum, labelled tokens, right ones, entities by type, strict entities by type].
constexpr size_t kLossSum = 0, kTokens = 1, kRight = 2, kEntities = 3;

// The weight of the sample that each token is of.
std::vector<float> weights_of_tokens(const Batch& batch) {
  std::vector<float> weights_N;
  const Offsets& offsets = batch.offsets("token");
  for (size_t b = 0; b < batch.weights.size(); ++b)
    weights_N.resize(static_cast<size_t>(offsets[b + 1]), batch.weights[b]);
  return weights_N;
}

size_t best_of(const double* values, size_t count) {
  return static_cast<size_t>(std::max_element(values, values + count) - values);
}

class TokenClassification final : public LogitsTask {
 public:
  TokenClassification(const TaskSettings& settings, const Model& model)
      : names_(settings.labels.names),
        tagging_(names_),
        smoothing_(settings.loss.label_smoothing_factor),
        focal_gamma_(settings.loss.kind == "focal" ? settings.loss.focal_gamma : 0.0),
        weights_(class_weights(settings.loss.class_weights, names_, settings.labels.counts)),
        layers_(model.token_head(), static_cast<int64_t>(names_.size()), model, settings) {
    weights_K_ = at::tensor(weights_, at::kDouble).to(settings.device, settings.dtype);
  }

  Needs needs() const override { return {{.column = token_labels_column(std::ssize(names_))}}; }
  Reads reads() const override { return Reads::all; }
  bool reads_pooler() const override { return false; }
  bool keeps_pooler() const override { return false; }
  bool has_logits_of_samples() const override { return false; }
  Parameters parameters() const override { return layers_.parameters(); }
  std::optional<HeadFacts> head() const override {
    return HeadFacts{.shape = layers_.shape(), .pooling = {}};
  }

  at::Tensor logits(Model&, const at::Tensor& features, const Inputs& any, Mode mode) override {
    const TextInputs& inputs = text_of(any);
    return layers_.logits(features, inputs.draws_N, inputs.positions_N, mode);
  }

  double weight(const Batch& batch) const override {
    const std::span<const int32_t> labels = batch.at("labels").as<int32_t>();
    return cross_entropy_weight(std::vector<int64_t>(labels.begin(), labels.end()), weights_of_tokens(batch), weights_);
  }

  at::Tensor loss_of(const at::Tensor& logits_NK, const Batch& batch) const override {
    const std::vector<float> weights = weights_of_tokens(batch);
    const at::Tensor labels_N = sent(view_of(batch, "labels"), logits_NK.options().dtype(at::kLong));
    const at::Tensor weights_N = sent(weights, logits_NK.options());
    return cross_entropy_sum(logits_NK, labels_N, weights_K_, weights_N, smoothing_, focal_gamma_);
  }

  Statistics empty_statistics() const override { return {std::vector<double>(kEntities + 2 * num_counts())}; }

  void accumulate(const at::Tensor& logits_NK, const Batch& batch, Statistics& into) const override {
    const at::Tensor likely_NK = at::log_softmax(logits_NK.to(at::kDouble), 1).cpu().contiguous();
    const double* likely = likely_NK.data_ptr<double>();
    const std::span<const int32_t> labels = batch.at("labels").as<int32_t>();
    const std::span<double> counts(into.counts);
    const std::span<double> entities = counts.subspan(kEntities, num_counts()),
                            strict = counts.subspan(kEntities + num_counts());
    std::vector<int64_t> truth, guesses;
    for_each_labelled(
        batch,
        [&](size_t n) {
          const auto label = static_cast<size_t>(labels[n]);
          const size_t guess = best_of(likely + n * names_.size(), names_.size());
          counts[kLossSum] -= likely[n * names_.size() + label];
          counts[kTokens] += 1;
          counts[kRight] += label == guess ? 1 : 0;
          truth.push_back(static_cast<int64_t>(label));
          guesses.push_back(static_cast<int64_t>(guess));
        },
        [&] {
          EntityCounts::add(entities, tagging_.entities(truth), tagging_.entities(guesses));
          EntityCounts::add(strict, tagging_.strict_entities(truth), tagging_.strict_entities(guesses));
          truth.clear();
          guesses.clear();
        });
  }

  // Of each labelled token.
  void add_outputs(const at::Tensor& logits_NK, const Batch& batch, std::vector<double>& into) const override {
    const at::Tensor all_NK = logits_NK.to(at::kDouble).cpu().contiguous();
    const double* logits = all_NK.data_ptr<double>();
    const std::span<const int32_t> labels = batch.at("labels").as<int32_t>();
    const size_t width = names_.size();
    for_each_labelled(
        batch,
        [&](size_t n) {
          for (size_t k = 0; k < width; ++k) into.push_back(std::cmp_equal(labels[n], k));
          into.insert(into.end(), logits + n * width, logits + (n + 1) * width);
        },
        [] {});
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    const double tokens = total.counts[kTokens];
    nlohmann::ordered_json all{{"loss", mean_of(total.counts[kLossSum], tokens)}};
    if (tagging_.marks_entities()) all.update(entity_scores(scores(total, 0)));
    all["accuracy"] = mean_of(total.counts[kRight], tokens);
    return all;
  }

  nlohmann::ordered_json details(const Statistics& total) const override {
    if (!tagging_.marks_entities()) return nlohmann::ordered_json::object();
    return entity_details(scores(total, 0), scores(total, num_counts()), tagging_.types());
  }
  std::string default_metric() const override { return tagging_.marks_entities() ? "f1" : "accuracy"; }

  std::vector<std::string> predictions(const at::Tensor& logits_NK, const Batch& batch) const override {
    const at::Tensor scores_NK = at::softmax(logits_NK.to(at::kDouble), 1).cpu().contiguous();
    const double* score = scores_NK.data_ptr<double>();
    std::vector<std::string> rows;
    const bool by_word = has_words(batch.schema);
    std::vector<int64_t> tags;
    std::vector<double> scores;
    for_each_labelled(
        batch,
        [&](size_t n) {
          const size_t best = best_of(score + n * names_.size(), names_.size());
          tags.push_back(static_cast<int64_t>(best));
          scores.push_back(score[n * names_.size() + best]);
        },
        [&] {
          const auto row = by_word ? entity_row(batch, rows.size(), tagging_, names_, tags, scores)
                                   : nlohmann::ordered_json{{"tags", named(tags)}, {"scores", scores}};
          rows.push_back(row.dump());
          tags.clear(), scores.clear();
        });
    return rows;
  }

  void describe(nlohmann::json& config) const override { describe_labels(config, names_, ""); }

 private:
  // Calls token(n) on each token that has a target, sequence by sequence, and sequence_ends() behind each of them.
  template <class Token, class End>
  static void for_each_labelled(const Batch& batch, const Token& token, const End& sequence_ends) {
    const Offsets& offsets = batch.offsets("token");
    const std::span<const int32_t> labels = batch.at("labels").as<int32_t>();
    for (size_t b = 0; b + 1 < offsets.size(); ++b) {
      for (auto n = static_cast<size_t>(offsets[b]); n < static_cast<size_t>(offsets[b + 1]); ++n)
        if (labels[n] >= 0) token(n);
      sequence_ends();
    }
  }

  StringList named(const std::vector<int64_t>& tags) const {
    StringList all;
    for (const int64_t tag : tags) all.push_back(names_[static_cast<size_t>(tag)]);
    return all;
  }

  size_t num_counts() const { return EntityCounts::size(tagging_.types().size()); }
  EntityScores scores(const Statistics& total, size_t from) const {
    return EntityScores(std::span<const double>(total.counts).subspan(kEntities + from, num_counts()));
  }

  std::vector<std::string> names_;
  Tagging tagging_;
  double smoothing_, focal_gamma_;
  std::vector<double> weights_;  // of the labels
  at::Tensor weights_K_;
  HeadLayers layers_;
};

}  // namespace

std::unique_ptr<LogitsTask> make_token_classification(const TaskSettings& settings, const Model& model) {
  if (settings.labels.names.size() < 2)
    throw ConfigError(
        concat("token_classification needs at least two labels, and there are ", settings.labels.names.size()));
  if (settings.pooling != "auto")
    throw ConfigError(
        concat("model.pooling = ", in_quotes(settings.pooling), ": token_classification reads every token"));
  require_accepted(settings.loss, {.targets = "one label a word is",
                                   .kinds = {"cross_entropy", "focal"},
                                   .class_weights = true,
                                   .label_smoothing = true});
  return std::make_unique<TokenClassification>(settings, model);
}

}  // namespace sft
