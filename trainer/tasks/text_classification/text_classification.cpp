#include "trainer/tasks/text_classification/text_classification.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/classification_report.h"
#include "trainer/metrics/confusion.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/initialize.h"
#include "trainer/tasks/text_classification/class_weights.h"
#include "trainer/tasks/text_classification/cross_entropy.h"

namespace sft {
namespace {

enum class Pooling { cls, mean, pooler };

Pooling pooling_of(const std::string& name, const Model& model) {
  if (name == "pooler" && !model.has_pooler())
    throw ConfigError("model.pooling = \"pooler\": this model has no pooler");
  if (name == "mean") return Pooling::mean;
  if (name == "cls" || !model.has_pooler()) return Pooling::cls;
  return Pooling::pooler;
}

// Statistics: [loss sum, rows, confusion counts K × K].
constexpr size_t kLossSum = 0, kRows = 1, kCounts = 2;

class TextClassification final : public Task {
 public:
  TextClassification(const TaskSettings& settings, const Model& model)
      : names_(settings.label_names),
        pooling_(pooling_of(settings.pooling, model)),
        smoothing_(settings.label_smoothing_factor),
        dropout_rate_(model.head_dropout()),
        stage_(model.num_blocks() + 2),
        weights_(class_weights(settings.class_weights, names_, settings.label_counts)) {
    const auto options = at::TensorOptions().dtype(settings.dtype).device(settings.device);
    const auto num_labels = static_cast<int64_t>(names_.size());
    weight_ = normal_parameter("classifier.weight", {num_labels, model.width()}, model.initializer_range(),
                               settings.seed, options);
    bias_ = constant_parameter({num_labels}, 0.0, options);
    weights_K_ = at::tensor(weights_, at::kDouble).to(options);
  }

  Reads reads() const override { return pooling_ == Pooling::mean ? Reads::all : Reads::first; }
  bool reads_pooler() const override { return pooling_ == Pooling::pooler; }
  Parameters parameters() const override {
    return {{.name = "classifier.weight", .value = weight_, .stage = stage_, .decays = true},
            {.name = "classifier.bias", .value = bias_, .stage = stage_, .decays = false}};
  }

  at::Tensor logits(Model& model, const Features& features, const TextInputs& inputs) override {
    at::Tensor pooled_BC = pooling_ == Pooling::mean ? mean_of_rows(features.rows, inputs) : features.rows;
    if (pooling_ == Pooling::pooler) pooled_BC = model.pool(pooled_BC);
    const double p = training_ ? dropout_rate_ : 0.0;
    return at::linear(keyed_dropout(pooled_BC, key_, inputs.draws_B, at::zeros_like(inputs.draws_B), p), weight_,
                      bias_);
  }

  double weight(const Batch& batch) const override {
    return cross_entropy_weight(batch.labels, batch.weights, weights_);
  }

  LossSum loss_sum(const at::Tensor& logits, const Batch& batch) const override {
    const at::Tensor labels = at::tensor(batch.labels, at::kLong).to(logits.device());
    const at::Tensor rows = at::tensor(at::ArrayRef<float>(batch.weights)).to(logits.options());
    return {cross_entropy_sum(logits, labels, weights_K_, rows, smoothing_), weight(batch)};
  }

  void set_training(bool training) override { training_ = training; }
  void set_dropout_seed(uint64_t seed) override { key_ = dropout_key(seed, "head"); }

  Statistics empty_statistics() const override {
    return {std::vector<double>(kCounts + names_.size() * names_.size())};
  }

  void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const override {
    const at::Tensor likely_BK = at::log_softmax(logits.to(at::kDouble), 1).cpu().contiguous();
    const double* likely = likely_BK.data_ptr<double>();
    for (size_t b = 0; b < batch.labels.size(); ++b, likely += names_.size()) {
      if (batch.labels[b] < 0) continue;
      const auto label = static_cast<size_t>(batch.labels[b]);
      const auto guess = static_cast<size_t>(std::max_element(likely, likely + names_.size()) - likely);
      into.counts[kLossSum] -= likely[label];
      into.counts[kRows] += 1;
      into.counts[kCounts + label * names_.size() + guess] += 1;
    }
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    const double rows = total.counts[kRows];
    nlohmann::ordered_json all{{"loss", rows > 0 ? total.counts[kLossSum] / rows : 0.0}};
    const nlohmann::ordered_json scores = classification_scores(confusion(total));
    for (const auto& [name, value] : scores.items()) all[name] = value;
    return all;
  }

  nlohmann::ordered_json details(const Statistics& total) const override {
    return classification_details(confusion(total), names_);
  }
  std::string default_metric() const override { return "accuracy"; }

  std::vector<std::string> predictions(const at::Tensor& logits) const override {
    const at::Tensor scores_BK = at::softmax(logits.to(at::kDouble), 1).cpu().contiguous();
    const double* score = scores_BK.data_ptr<double>();
    std::vector<std::string> rows;
    for (int64_t b = 0; b < scores_BK.size(0); ++b, score += names_.size()) {
      const auto best = static_cast<size_t>(std::max_element(score, score + names_.size()) - score);
      nlohmann::ordered_json row = {{"label", names_[best]}, {"score", score[best]}};
      for (size_t k = 0; k < names_.size(); ++k) row["scores"][names_[k]] = score[k];
      rows.push_back(row.dump());
    }
    return rows;
  }

  void describe(nlohmann::json& config) const override {
    nlohmann::json names = nlohmann::json::object(), ids = nlohmann::json::object();
    for (size_t id = 0; id < names_.size(); ++id) names[std::to_string(id)] = names_[id], ids[names_[id]] = id;
    config.erase("num_labels");  // transformers counts id2label
    config["id2label"] = names;
    config["label2id"] = ids;
    config["problem_type"] = "single_label_classification";
    // What transformers' class does needs no word; another pooling is read back by our own predict and evaluate.
    if (pooling_ != Pooling::pooler) config["sft_dist_pooling"] = pooling_ == Pooling::mean ? "mean" : "cls";
  }

 private:
  Confusion confusion(const Statistics& total) const {
    return {static_cast<int64_t>(names_.size()), std::span<const double>(total.counts).subspan(kCounts)};
  }

  // [N, C] → [B, C]: the mean over each sequence's rows, special tokens included.
  static at::Tensor mean_of_rows(const at::Tensor& rows_NC, const TextInputs& inputs) {
    std::vector<int64_t> lengths;
    for (size_t b = 0; b + 1 < inputs.host_offsets.size(); ++b)
      lengths.push_back(inputs.host_offsets[b + 1] - inputs.host_offsets[b]);
    std::vector<at::Tensor> means = rows_NC.split_with_sizes(lengths);
    for (at::Tensor& mean : means) mean = mean.mean(0);
    return at::stack(means);
  }

  std::vector<std::string> names_;
  Pooling pooling_;
  double smoothing_;
  double dropout_rate_;
  int stage_;
  std::vector<double> weights_;  // of the classes
  at::Tensor weight_, bias_, weights_K_;
  DropoutKey key_;
  bool training_ = false;
};

}  // namespace

std::unique_ptr<Task> make_text_classification(const TaskSettings& settings, const Model& model) {
  if (settings.label_names.size() < 2)
    throw ConfigError(
        concat("text_classification needs at least two labels, and there are ", settings.label_names.size()));
  return std::make_unique<TextClassification>(settings, model);
}

}  // namespace sft
