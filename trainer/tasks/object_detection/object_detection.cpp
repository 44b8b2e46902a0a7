// B pictures, D detection tokens, K classes.
#include "trainer/tasks/object_detection/object_detection.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/mean.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/describe_labels.h"
#include "trainer/tasks/blocks/finite_outputs.h"
#include "trainer/tasks/object_detection/detected_objects.h"
#include "trainer/tasks/object_detection/detection_loss.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/recipes/picture_notes.h"

namespace sft {
namespace {

// Counts: the sums of DetectionSums, then those of DetectionWeights, then COCO's. Rows: COCO's alone.
constexpr size_t kCrossEntropy = 0, kL1 = 1, kGiou = 2, kTokens = 3, kBoxes = 4, kCoco = 5;

PictureBoxes boxes_of(const Batch& batch) {
  PictureBoxes boxes;
  for (size_t b = 0; b < batch.rows.size(); ++b) boxes.push_back(learned_boxes(batch, b));
  return boxes;
}

class ObjectDetection final : public DetectionTask {
 public:
  ObjectDetection(const TaskSettings& settings, const Model& model)
      : names_(settings.labels.names),
        config_(read_detection_config(model.config())),
        threshold_(settings.scores.threshold),
        head_(std::ssize(names_), model, settings) {}

  Needs needs() const override {
    return {{.column = boxes_column()},
            {.column = box_labels_column(0)},
            {.column = box_flags_column()},
            {.column = view_column()}};
  }
  Reads reads() const override { return Reads::all; }
  bool reads_pooler() const override { return false; }
  bool keeps_pooler() const override { return false; }
  Parameters parameters() const override { return head_.parameters(); }

  Detections detections(const at::Tensor& features_BDC) const override { return head_(features_BDC); }

  size_t num_terms() const override { return 2; }
  Weights weights(const Batch& batch) const override {
    const DetectionWeights weights = detection_weights(boxes_of(batch), config_);
    return {weights.tokens, weights.boxes};
  }
  at::Tensor loss_sum(Model&, const at::Tensor& features_BDC, const Inputs&, const Batch& batch,
                      const Weights& total) override {
    const DetectionSums sums = detection_sums(head_(features_BDC), boxes_of(batch), config_);
    return sums.cross_entropy +
           (config_.box_coefficient * sums.l1 + config_.giou_coefficient * sums.giou) * (total[0] / total[1]);
  }

  Statistics empty_statistics() const override {
    return {std::vector<double>(kCoco + coco::num_counts(std::ssize(names_)))};
  }

  void observe(Model&, const at::Tensor& features_BDC, const Inputs&, const Batch& batch, const Asked& asked) override {
    const Detections given = head_(features_BDC);
    const bool finite = are_finite(given.logits_BDK) && are_finite(given.boxes_BD4);
    if (!finite && asked.predictions != nullptr) refuse_not_finite(batch);
    if (asked.statistics != nullptr && !finite) return add_undefined(*asked.statistics);
    const std::vector<std::vector<DetectedObject>> found = objects(given, batch);
    if (asked.statistics != nullptr) accumulate(given, found, batch, *asked.statistics);
    if (asked.predictions != nullptr) *asked.predictions = predictions(found, batch, asked.statistics != nullptr);
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    const std::vector<double>& counts = total.counts;
    const double cross_entropy = mean_of(counts[kCrossEntropy], counts[kTokens]);
    const double boxes = counts[kBoxes] > 0 ? counts[kBoxes] : 1;
    const double l1 = counts[kL1] / boxes, giou = counts[kGiou] / boxes;
    nlohmann::ordered_json all{
        {"loss", cross_entropy + config_.box_coefficient * l1 + config_.giou_coefficient * giou}};
    all.update(std::isfinite(cross_entropy) ? coco::scores(std::ssize(names_), coco_counts(total), total.rows)
                                            : coco::scores(std::ssize(names_), coco_counts(empty_statistics()), {}));
    all.update({{"loss_ce", cross_entropy}, {"loss_bbox", l1}, {"loss_giou", giou}});
    return all;
  }
  nlohmann::ordered_json details(const Statistics& total) const override {
    if (!std::isfinite(total.counts[kCrossEntropy])) return nlohmann::ordered_json::object();
    return coco::details(names_, coco_counts(total), total.rows);
  }
  std::string default_metric() const override { return "map"; }
  bool more_is_better(const std::string& metric) const override { return !metric.starts_with("loss"); }

  double flops(int64_t pictures) const override { return head_.flops(pictures * config_.tokens); }
  void describe(nlohmann::json& config) const override {
    describe_labels(config, names_, "");
    config.erase("sft_dist_threshold");
    if (threshold_ != 0.5) config["sft_dist_threshold"] = threshold_;
  }

 private:
  // Of each picture one object a token, the likeliest class that is not "no object", in pixels of the original:
  // transformers' post_process_object_detection without its threshold.
  std::vector<std::vector<DetectedObject>> objects(const Detections& given, const Batch& batch) const {
    const auto [likely_BD, labels_BD] =
        at::softmax(given.logits_BDK, -1).narrow(2, 0, std::ssize(names_)).max(/*dim=*/2);
    const at::Tensor scores = likely_BD.to(at::kCPU, at::kDouble).contiguous(),
                     labels = labels_BD.to(at::kCPU).contiguous(),
                     boxes = given.boxes_BD4.to(at::kCPU, at::kDouble).contiguous();
    std::vector<std::vector<DetectedObject>> all(batch.rows.size());
    const auto tokens = static_cast<size_t>(config_.tokens);
    for (size_t b = 0; b < all.size(); ++b)
      for (size_t n = b * tokens; n < (b + 1) * tokens; ++n) {
        const double* box = boxes.data_ptr<double>() + 4 * n;
        const auto [left, top, right, bottom] = in_original(batch, b, {box[0], box[1], box[2], box[3]});
        all[b].push_back({.box = {left, top, right - left, bottom - top},
                          .label = labels.data_ptr<int64_t>()[n],
                          .score = scores.data_ptr<double>()[n]});
      }
    return all;
  }

  void accumulate(const Detections& given, const std::vector<std::vector<DetectedObject>>& found, const Batch& batch,
                  Statistics& into) const {
    const PictureBoxes boxes = boxes_of(batch);
    const DetectionSums sums =
        detection_sums({given.logits_BDK.to(at::kDouble), given.boxes_BD4.to(at::kDouble)}, boxes, config_);
    const DetectionWeights weights = detection_weights(boxes, config_);
    into.counts[kCrossEntropy] += sums.cross_entropy.item<double>();
    into.counts[kL1] += sums.l1.item<double>();
    into.counts[kGiou] += sums.giou.item<double>();
    into.counts[kTokens] += weights.tokens;
    into.counts[kBoxes] += weights.boxes;
    for (size_t b = 0; b < found.size(); ++b)
      coco::add_picture(true_objects(batch, b), found[b], batch.rows[b], std::span(into.counts).subspan(kCoco),
                        into.rows);
  }

  std::vector<std::string> predictions(const std::vector<std::vector<DetectedObject>>& found, const Batch& batch,
                                       bool are_labelled) const {
    const std::span<const int32_t> sizes = batch.at(kOriginalSizeColumn).as<int32_t>();
    std::vector<std::string> rows;
    for (size_t b = 0; b < found.size(); ++b) {
      DetectedPicture picture{.image = place_in(batch, b), .height = sizes[2 * b], .width = sizes[2 * b + 1]};
      for (const DetectedObject& object : found[b])
        if (object.score > threshold_) picture.objects.push_back(object);
      if (are_labelled) picture.reference = true_objects(batch, b);
      rows.push_back(to_json(picture, names_));
    }
    return rows;
  }

  static std::span<const double> coco_counts(const Statistics& total) { return std::span(total.counts).subspan(kCoco); }

  StringList names_;
  DetectionConfig config_;
  double threshold_;
  DetectionHead head_;
};

// Told before the data is read a first time by the model.
void require_whole_patches(const Schema& samples, const nlohmann::json& config) {
  const Column* const pixels = samples.find("pixels");
  const auto patch = config.find("patch_size");
  if (pixels == nullptr || patch == config.end() || !patch->is_number_integer()) return;
  const int64_t side = pixels->shape[0], size = patch->get<int64_t>();
  if (side % size == 0) return;
  throw ConfigError(concat("data.image_size is ", side, ", and the model cuts pictures into patches of ", size, " × ",
                           size, " pixels; set it to a multiple of ", size, ", as ", (side / size + 1) * size, " is"));
}

}  // namespace

std::unique_ptr<DetectionTask> make_object_detection(const TaskSettings& settings, const Model& model) {
  if (settings.labels.names.empty()) throw ConfigError("object_detection: the data names no class of objects");
  if (settings.pooling != "auto")
    throw ConfigError(concat("model.pooling = ", in_quotes(settings.pooling), " is for texts; leave it at auto"));
  require_accepted(settings.loss, {.targets = "boxes with classes are", .kinds = {"cross_entropy"}});
  require_whole_patches(settings.labels.samples, model.config());
  return std::make_unique<ObjectDetection>(settings, model);
}

}  // namespace sft
