// B pictures of H × W, K classes, maps of h × w with D channels.
#include "trainer/tasks/semantic_segmentation/semantic_segmentation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/mean.h"
#include "trainer/metrics/segmentation_scores.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/models/initialize.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/class_weights.h"
#include "trainer/tasks/blocks/describe_labels.h"
#include "trainer/tasks/recipes/picture_notes.h"
#include "trainer/tasks/semantic_segmentation/predicted_mask.h"
#include "trainer/tasks/semantic_segmentation/rows/mask_rows.h"
#include "trainer/tasks/semantic_segmentation/sized.h"

namespace sft {
namespace {

// Statistics: counts [loss sum, pixels, confusion counts K × K].
constexpr size_t kLossSum = 0, kPixels = 1, kCounts = 2;

constexpr int64_t kMostLogits = int64_t{1} << 25;  // of a picture at its own size, at once

class SemanticSegmentation final : public LogitsTask {
 public:
  SemanticSegmentation(const TaskSettings& settings, const Model& model)
      : names_(settings.labels.names),
        smoothing_(settings.loss.label_smoothing_factor),
        class_weights_(class_weights(settings.loss.class_weights, names_, settings.labels.counts)),
        class_weights_K_(at::tensor(class_weights_, at::kDouble).to(settings.device, settings.dtype)),
        dropout_(model.sequence_head().dropout),
        key_(dropout_key(settings.dropout_seed, "head")) {
    const std::string output = model.sequence_head().output;
    const auto options = at::TensorOptions().dtype(settings.dtype).device(settings.device);
    weight_ = normal_parameter(output + ".weight", {std::ssize(names_), model.width(), 1, 1}, model.initializer_range(),
                               settings.seed, options);
    bias_ = constant_parameter({std::ssize(names_)}, 0.0, options);
    parameters_ = {{.name = output + ".weight", .value = weight_, .stage = model.head_stage()},
                   {.name = output + ".bias", .value = bias_, .stage = model.head_stage(), .decays = false}};
  }

  Needs needs() const override { return {{.column = mask_column()}}; }
  Reads reads() const override { return Reads::all; }
  bool reads_pooler() const override { return false; }
  Parameters parameters() const override { return parameters_; }
  bool has_logits_of_samples() const override { return false; }

  // [B, D, h, w] → [B, K, h, w].
  at::Tensor logits(Model&, const at::Tensor& maps_BDHW, const Inputs& inputs, Mode mode) override {
    const int64_t pictures = maps_BDHW.size(0), height = maps_BDHW.size(2), width = maps_BDHW.size(3);
    at::Tensor x_ND = maps_BDHW.permute({0, 2, 3, 1}).flatten(0, 2);
    if (mode == Mode::training && dropout_ > 0) {
      const at::Tensor& draws_B = draws_of(inputs);
      const auto each = [&](const at::Tensor& numbers, int dimension) {
        return numbers.unsqueeze(dimension).expand({pictures, height * width}).reshape({-1}).contiguous();
      };
      x_ND = keyed_dropout(x_ND.contiguous(), key_, each(draws_B, 1),
                           each(at::arange(height * width, draws_B.options()), 0), dropout_);
    }
    return at::linear(x_ND, weight_.flatten(1), bias_)
        .view({pictures, height, width, std::ssize(names_)})
        .permute({0, 3, 1, 2});
  }

  double weight(const Batch& batch) const override {
    std::vector<int64_t> pixels(256);
    for (const uint8_t value : batch.at("mask").as<uint8_t>()) ++pixels[value];
    double sum = 0;
    for (size_t k = 0; k < names_.size(); ++k) sum += class_weights_[k] * static_cast<double>(pixels[k]);
    return sum;
  }

  at::Tensor loss_of(const at::Tensor& logits_BKHW, const Batch& batch) const override {
    const at::Tensor mask_BHW = sent(view_of(batch, "mask"), logits_BKHW.options().dtype(at::kByte)).to(at::kLong);
    return at::cross_entropy_loss(sized(logits_BKHW, mask_BHW.size(1), mask_BHW.size(2)), mask_BHW, class_weights_K_,
                                  at::Reduction::Sum, kNoClass, smoothing_);
  }

  Statistics empty_statistics() const override {
    return {std::vector<double>(kCounts + names_.size() * names_.size())};
  }

  // A picture at a time: at the masks' size, logits are many.
  void accumulate(const at::Tensor& logits_BKHW, const Batch& batch, Statistics& into) const override {
    const int64_t classes = std::ssize(names_);
    const at::Tensor mask_BHW = view_of(batch, "mask").to(logits_BKHW.device(), at::kLong);
    for (int64_t b = 0; b < mask_BHW.size(0); ++b) {
      const at::Tensor truth_1HW = mask_BHW.narrow(0, b, 1);
      const at::Tensor logits_1KHW = sized(logits_BKHW.narrow(0, b, 1), mask_BHW.size(1), mask_BHW.size(2));
      into.counts[kLossSum] +=
          at::cross_entropy_loss(logits_1KHW, truth_1HW, /*weight=*/{}, at::Reduction::None, kNoClass)
              .sum(at::kDouble)
              .item<double>();
      const at::Tensor is_scored = truth_1HW != int64_t{kNoClass};
      const at::Tensor pairs = (truth_1HW * classes + at::argmax(logits_1KHW, 1)).masked_select(is_scored);
      const at::Tensor counts = at::bincount(pairs, /*weights=*/{}, classes * classes).cpu();
      into.counts[kPixels] += static_cast<double>(pairs.size(0));
      const auto* found = counts.data_ptr<int64_t>();
      for (int64_t i = 0; i < counts.size(0); ++i)
        into.counts[kCounts + static_cast<size_t>(i)] += static_cast<double>(found[i]);
    }
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    nlohmann::ordered_json all{{"loss", mean_of(total.counts[kLossSum], total.counts[kPixels])}};
    all.update(segmentation_scores(confusion_of(total)));
    return all;
  }
  nlohmann::ordered_json details(const Statistics& total) const override {
    return segmentation_details(confusion_of(total), names_);
  }
  std::string default_metric() const override { return "mean_iou"; }

  // At the pictures' own size where it was kept, else at that of the model's pictures.
  std::vector<std::string> predictions(const at::Tensor& logits_BKHW, const Batch& batch) const override {
    const Column& pixels = batch.schema.at("pixels");
    const bool has_sizes = batch.schema.find(kOriginalSizeColumn) != nullptr;
    std::vector<std::string> rows;
    for (size_t b = 0; b < static_cast<size_t>(batch.size()); ++b) {
      Mask mask{pixels.shape[0], pixels.shape[1], {}};
      if (has_sizes) {
        const std::span<const int32_t> sizes = batch.at(kOriginalSizeColumn).as<int32_t>();
        mask.height = sizes[2 * b];
        mask.width = sizes[2 * b + 1];
      }
      const at::Tensor one_1KHW = logits_BKHW.narrow(0, static_cast<int64_t>(b), 1);
      const at::Tensor classes =
          likeliest(one_1KHW, mask.height, mask.width, kMostLogits).to(at::kCPU, at::kByte).flatten();
      mask.classes.assign(classes.data_ptr<uint8_t>(), classes.data_ptr<uint8_t>() + classes.numel());
      rows.push_back(to_json({.image = place_in(batch, b), .mask = std::move(mask)}, names_));
    }
    return rows;
  }

  void describe(nlohmann::json& config) const override { describe_labels(config, names_, ""); }

 private:
  Confusion confusion_of(const Statistics& total) const {
    return {std::ssize(names_), std::span(total.counts).subspan(kCounts)};
  }

  StringList names_;
  double smoothing_;
  std::vector<double> class_weights_;
  at::Tensor class_weights_K_;
  double dropout_;
  DropoutKey key_;
  at::Tensor weight_, bias_;  // [K, D, 1, 1], [K]
  Parameters parameters_;
};

}  // namespace

std::unique_ptr<LogitsTask> make_semantic_segmentation(const TaskSettings& settings, const Model& model) {
  const size_t classes = settings.labels.names.size();
  if (classes < 2 || classes > kNoClass)
    throw ConfigError(concat("semantic_segmentation takes 2 to ", int{kNoClass}, " classes, and there are ", classes));
  if (settings.pooling != "auto")
    throw ConfigError(concat("model.pooling = ", in_quotes(settings.pooling), " is for texts; leave it at auto"));
  require_accepted(settings.loss, {.targets = "a class for each pixel is",
                                   .kinds = {"cross_entropy"},
                                   .class_weights = true,
                                   .label_smoothing = true});
  return std::make_unique<SemanticSegmentation>(settings, model);
}

}  // namespace sft
