// The head of tasks that say one thing about a whole sample: what is taken of the backbone's features, and on
// top of it the layers that the transformers class of the model has.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "trainer/tasks/blocks/head_layers.h"
#include "trainer/tasks/head_facts.h"
#include "trainer/tasks/task.h"

namespace sft {

class SequenceHead {
 public:
  // ConfigError for a pooling that the model does not have.
  SequenceHead(const TaskSettings& settings, const Model& model, int64_t num_outputs);

  Reads reads() const;
  bool reads_pooler() const { return pooling_ == Pooling::pooler; }
  Parameters parameters() const { return layers_.parameters(); }
  const at::Tensor& output_bias() const { return layers_.output_bias(); }  // undefined where the last layer has none

  bool has_own_output() const { return layers_.has_own_output(); }
  void divide_logits(double by) const { layers_.divide_logits(by); }

  HeadFacts facts() const { return {.shape = shape_, .pooling = pooling_}; }

  // [B, num_outputs]
  at::Tensor logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) const;

  // What transformers' class does by itself needs no word in config.json. Another pooling is said by the class's own
  // key, and where it has none by one that our own commands read back.
  void describe(nlohmann::json& config) const;

 private:
  HeadShape shape_;
  Pooling usual_, pooling_;  // of the transformers class, and here
  HeadLayers layers_;
};

}  // namespace sft
