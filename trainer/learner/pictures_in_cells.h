// Pictures as pixels, whose parts are square cells: the patches that the model cuts a picture into, of others at most
// 14 × 14.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/learner/attribution.h"
#include "trainer/learner/learner.h"
#include "trainer/learner/stages.h"

namespace sft {

// How pictures of one size are cut, row by row from the upper left corner. Cells at the right and the lower edge are
// smaller where the side is no multiple.
struct Cells {
  int64_t height = 0, width = 0, side = 1;  // in pixels
  int64_t rows() const { return (height + side - 1) / side; }
  int64_t columns() const { return (width + side - 1) / side; }
};

class PicturesInCells final : public Explainable {
 public:
  // Borrows `learner`. ConfigError where the model's task does not give one logit a label, and naming the model where
  // it does not take pictures or its config.json has no "image_mean": that colour, which the network sees as 0, stands
  // where a picture is hidden.
  PicturesInCells(Learner& learner, const Batch& batch);

  const Cells& cells() const { return cells_; }

  at::Tensor x() override { return pixels_BHWC_; }
  at::Tensor logits(const at::Tensor& pixels_BHWC) override;
  at::Tensor labels(const at::Tensor& logits) const override { return task_.labels_given(logits); }
  at::Tensor blank() override { return blank_C_.expand_as(pixels_BHWC_); }
  at::Tensor origin() override { return blank_C_; }
  std::vector<size_t> num_parts() const override;
  at::Tensor without(size_t cell) override;
  std::vector<std::vector<double>> over_parts(const at::Tensor& of_elements_BHWC) const override;

 private:
  Learner& learner_;
  LogitsTask& task_;
  Stages stages_;
  ImageInputs inputs_;
  at::Tensor pixels_BHWC_;  // float32, 0 … 255
  at::Tensor blank_C_;
  Cells cells_;
};

}  // namespace sft
