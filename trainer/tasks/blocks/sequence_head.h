// The head of tasks that say one thing about a whole sample: what is taken of the backbone's features, and on
// top of it the layers that the transformers class of the model has.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/tasks/task.h"

namespace sft {

enum class Pooling { cls, mean, pooler };

class SequenceHead {
 public:
  // ConfigError for a pooling that the model does not have.
  SequenceHead(const TaskSettings& settings, const Model& model, int64_t num_outputs);

  Reads reads() const { return pooling_ == Pooling::mean ? Reads::all : shape_.reads; }
  bool reads_pooler() const { return pooling_ == Pooling::pooler; }
  Parameters parameters() const { return parameters_; }
  const at::Tensor& output_bias() const { return output_.bias; }  // undefined where the last layer has none

  // [B, num_outputs]
  at::Tensor logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) const;

  // What transformers' class does needs no word in config.json; another pooling is read back by our own commands.
  void describe(nlohmann::json& config) const;

 private:
  at::Tensor dropped(const at::Tensor& x_BC, const DropoutKey& key, const at::Tensor& draws_B, double p) const;

  HeadShape shape_;
  Pooling usual_, pooling_;  // of the transformers class, and here
  Linear hidden_, output_;
  Parameters parameters_;
  DropoutKey input_key_, key_;
};

}  // namespace sft
