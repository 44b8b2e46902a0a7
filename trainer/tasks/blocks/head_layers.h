// The layers of a task's head, as the model says that they are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/tasks/task.h"

namespace sft {

// From the model's width to `outputs`, with a bias or without one and in the form that the head's shape says. Its
// parameters are added to `list`, in the stage of the head.
Linear output_layer(const HeadShape& shape, int64_t outputs, const Model& model, const TaskSettings& settings,
                    Parameters& list);

// R rows of C channels, each by itself.
class HeadLayers {
 public:
  // ConfigError where the shape has no output layer and the model's width is not `num_outputs`.
  HeadLayers(const HeadShape& shape, int64_t num_outputs, const Model& model, const TaskSettings& settings);

  const HeadShape& shape() const { return shape_; }
  Parameters parameters() const { return parameters_; }
  const at::Tensor& output_bias() const { return output_.bias; }

  // Divides weights and bias of the output layer. ConfigError where the model's own is the output layer.
  bool has_own_output() const { return output_.weight.defined(); }
  void divide_logits(double by) const;

  // [R, C] → [R, num_outputs]; draws and positions, int64 [R], key dropout.
  at::Tensor logits(const at::Tensor& x_RC, const at::Tensor& draws_R, const at::Tensor& positions_R, Mode mode) const;

 private:
  HeadShape shape_;
  Linear hidden_, output_;
  LayerNorm norm_;
  Parameters parameters_;
  DropoutKey input_key_, key_;
};

}  // namespace sft
