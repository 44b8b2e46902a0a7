#include "trainer/learner/pictures_in_cells.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr int64_t kMostCells = 14;  // along a side, of models without patches: as many as patches of 16 in 224 pixels

// The graph begins at the pixels.
StageRule from_pixels(const Model& model) {
  return {.trains = std::vector<bool>(static_cast<size_t>(model.num_stages()), false), .first_trained = 0};
}

ImageInputs images_in(const Learner& learner, const Batch& batch) {
  Inputs inputs = learner.inputs(batch);
  if (auto* images = std::get_if<ImageInputs>(&inputs)) return *images;
  throw ConfigError(concat("explanations: this model (", learner.model().config().value("model_type", "?"),
                           ") does not take pictures"));
}

// The colour that is 0 behind the scaling of pixels, [3] of 0 … 255.
at::Tensor blank_colour(const Model& model, const at::TensorOptions& options) {
  const nlohmann::json& config = model.config();
  const auto mean = config.find("image_mean");
  if (mean == config.end() || !mean->is_array() || mean->empty())
    throw ConfigError(concat("explanations: config.json of this model (", config.value("model_type", "?"),
                             ") names no image_mean, the colour that stands where a picture is hidden"));
  return at::tensor(mean->get<std::vector<double>>(), at::kDouble).mul(255).to(options).expand({3});
}

Cells cells_of(const Model& model, const at::Tensor& pixels_BHWC) {
  Cells cells{pixels_BHWC.size(1), pixels_BHWC.size(2)};
  const auto patch = model.config().find("patch_size");
  const int64_t longer = std::max(cells.height, cells.width);
  cells.side = patch != model.config().end() && patch->is_number_integer() ? patch->get<int64_t>()
                                                                           : (longer + kMostCells - 1) / kMostCells;
  return cells;
}

}  // namespace

PicturesInCells::PicturesInCells(Learner& learner, const Batch& batch)
    : learner_(learner),
      task_(explained_task(learner)),
      stages_(learner.model(), from_pixels(learner.model())),
      inputs_(images_in(learner, batch)),
      pixels_BHWC_(inputs_.pixels_BHWC.to(at::kFloat)),
      blank_C_(blank_colour(learner.model(), pixels_BHWC_.options())),
      cells_(cells_of(learner.model(), pixels_BHWC_)) {}

at::Tensor PicturesInCells::logits(const at::Tensor& pixels_BHWC) {
  ImageInputs seen = inputs_;
  seen.pixels_BHWC = pixels_BHWC;
  const Inputs inputs = seen;
  return task_.logits(learner_.model(), stages_.forward(inputs, Mode::evaluation), inputs, Mode::evaluation);
}

std::vector<size_t> PicturesInCells::num_parts() const {
  return std::vector<size_t>(static_cast<size_t>(pixels_BHWC_.size(0)),
                             static_cast<size_t>(cells_.rows() * cells_.columns()));
}

at::Tensor PicturesInCells::without(size_t cell) {
  const int64_t top = static_cast<int64_t>(cell) / cells_.columns() * cells_.side,
                left = static_cast<int64_t>(cell) % cells_.columns() * cells_.side;
  at::Tensor pixels_BHWC = pixels_BHWC_.clone();
  pixels_BHWC.narrow(1, top, std::min(cells_.side, cells_.height - top))
      .narrow(2, left, std::min(cells_.side, cells_.width - left))
      .copy_(blank_C_);
  return pixels_BHWC;
}

std::vector<std::vector<double>> PicturesInCells::over_parts(const at::Tensor& of_elements_BHWC) const {
  const int64_t rows = cells_.rows(), columns = cells_.columns(), side = cells_.side;
  const at::Tensor padded_BHW = at::constant_pad_nd(
      of_elements_BHWC.sum(3), {0, columns * side - cells_.width, 0, rows * side - cells_.height}, 0);
  const std::vector<double> sums =
      numbers_of(padded_BHW.reshape({padded_BHW.size(0), rows, side, columns, side}).sum({2, 4}));
  std::vector<std::vector<double>> all;
  const auto count = static_cast<std::ptrdiff_t>(rows * columns);
  for (auto from = sums.begin(); from != sums.end(); from += count) all.emplace_back(from, from + count);
  return all;
}

}  // namespace sft
