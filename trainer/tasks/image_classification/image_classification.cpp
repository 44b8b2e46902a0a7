#include "trainer/tasks/image_classification/image_classification.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/mean.h"
#include "trainer/tasks/recipes/picture_notes.h"
#include "trainer/tasks/text_classification/text_classification.h"

namespace sft {
namespace {

constexpr int64_t kBest = 5;  // of top5_accuracy

// One label a sample is the same whatever the sample is: loss, scores and predictions are those of text classification.
// What images add is whether the label is among the five most likely: one more count behind the others.
class ImageClassification final : public LogitsTask {
 public:
  ImageClassification(const TaskSettings& settings, const Model& model)
      : single_label_(make_text_classification(settings, model)),
        has_more_(static_cast<int64_t>(settings.labels.names.size()) > kBest) {}

  Needs needs() const override { return single_label_->needs(); }
  Reads reads() const override { return Reads::first; }
  bool reads_pooler() const override { return false; }
  Parameters parameters() const override { return single_label_->parameters(); }
  std::optional<HeadFacts> head() const override { return single_label_->head(); }
  at::Tensor logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) override {
    return single_label_->logits(model, features, inputs, mode);
  }

  at::Tensor labels_given(const at::Tensor& logits) const override { return single_label_->labels_given(logits); }
  double weight(const Batch& batch) const override { return single_label_->weight(batch); }
  at::Tensor loss_of(const at::Tensor& logits, const Batch& batch) const override {
    return single_label_->loss_of(logits, batch);
  }

  void conclude() override { single_label_->conclude(); }
  bool more_is_better(const std::string& metric) const override { return single_label_->more_is_better(metric); }

  Statistics empty_statistics() const override {
    Statistics statistics = single_label_->empty_statistics();
    statistics.counts.push_back(0);
    return statistics;
  }

  void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const override {
    const double before = into.counts.back();
    into.counts.pop_back();
    single_label_->accumulate(logits, batch, into);
    into.counts.push_back(before + hits(logits, batch));
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    const nlohmann::ordered_json plain = single_label_->metrics(without_last(total));
    if (!has_more_) return plain;
    nlohmann::ordered_json all;
    for (const auto& [name, value] : plain.items()) {
      all[name] = value;
      if (name == "accuracy") all["top5_accuracy"] = mean_of(total.counts.back(), rows(total));
    }
    return all;
  }
  nlohmann::ordered_json details(const Statistics& total) const override {
    return single_label_->details(without_last(total));
  }
  std::string default_metric() const override { return "accuracy"; }

  std::vector<std::string> predictions(const at::Tensor& logits, const Batch& batch) const override {
    std::vector<std::string> rows = single_label_->predictions(logits, batch);
    if (batch.schema.find(kPlaceColumn) != nullptr) add_places(batch, rows);
    return rows;
  }
  Deciding* deciding() override { return single_label_->deciding(); }
  void add_outputs(const at::Tensor& logits, const Batch& batch, std::vector<double>& into) const override {
    single_label_->add_outputs(logits, batch, into);
  }
  void describe(nlohmann::json& config) const override { single_label_->describe(config); }

 private:
  // Puts {"image": …} first: pictures have no lines to count.
  static void add_places(const Batch& batch, std::vector<std::string>& rows) {
    for (size_t b = 0; b < rows.size(); ++b) {
      const nlohmann::json place = place_in(batch, b);
      rows[b] = concat("{\"image\":", place.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), ",",
                       rows[b].substr(1));
    }
  }

  static double rows(const Statistics& total) { return total.counts[1]; }  // [loss sum, rows, …]

  static Statistics without_last(Statistics total) {
    total.counts.pop_back();
    return total;
  }

  // Rows in which fewer than five classes are more likely than the label.
  static double hits(const at::Tensor& logits, const Batch& batch) {
    const at::Tensor scores_BK = logits.to(at::kDouble).cpu().contiguous();
    const double* scores = scores_BK.data_ptr<double>();
    const int64_t classes = scores_BK.size(1);
    double hits = 0;
    for (const int64_t label : batch.at("labels").as<int64_t>()) {
      if (label >= 0)
        hits += std::count_if(scores, scores + classes, [&](double score) { return score > scores[label]; }) < kBest;
      scores += classes;
    }
    return hits;
  }

  std::unique_ptr<LogitsTask> single_label_;
  bool has_more_;  // than five classes
};

}  // namespace

std::unique_ptr<LogitsTask> make_image_classification(const TaskSettings& settings, const Model& model) {
  if (settings.labels.names.size() < 2)
    throw ConfigError(
        concat("image_classification needs at least two labels, and there are ", settings.labels.names.size()));
  if (settings.pooling != "auto" && settings.pooling != "cls")
    throw ConfigError(concat("model.pooling = ", in_quotes(settings.pooling), " is for texts; leave it at auto"));
  if (settings.loss.distill_weight != 0)
    throw ConfigError(concat("train.distill_weight is ", settings.loss.distill_weight,
                             ": a teacher's logits are read of rows of texts alone; leave it at 0"));
  return std::make_unique<ImageClassification>(settings, model);
}

}  // namespace sft
