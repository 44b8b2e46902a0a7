// The two heads of a detection token: which class it is of, and where it lies. B pictures of D tokens of C channels, K
// classes.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <string>

#include "trainer/models/blocks/linear.h"
#include "trainer/tasks/task.h"

namespace sft {

struct Detections {
  at::Tensor logits_BDK;  // K + 1: the last is "no object"
  at::Tensor boxes_BD4;   // centre x, centre y, width, height: shares of the picture that the model sees
};

// Of three layers each, C → C → C → K + 1 or 4 with relu between, as transformers' YolosForObjectDetection names and
// draws them.
class DetectionHead {
 public:
  DetectionHead(int64_t num_classes, const Model& model, const TaskSettings& settings);

  Detections operator()(const at::Tensor& features_BDC) const;
  const Parameters& parameters() const { return parameters_; }
  double flops(int64_t rows) const;  // of a forward pass

 private:
  using Layers = std::array<Linear, 3>;
  Layers layers(const std::string& name, int64_t outputs, const Model& model, const TaskSettings& settings);

  Parameters parameters_;
  Layers classes_, boxes_;
};

}  // namespace sft
