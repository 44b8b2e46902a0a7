// The one loop over a model's stages: no autograd below the lowest trained stage, stages recomputed in the backward
// pass where memory is short, a span of each in the trace, and a watch that is told of each, forward and backward.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "trainer/models/model.h"
#include "trainer/models/stage_watch.h"

namespace sft {

struct StageRule {
  std::vector<bool> trains = {};  // of each stage 0 … num_blocks; empty: all of them
  int first_trained = 0;    // the lowest stage of a trained parameter; num_blocks + 1 and more: all of these are frozen
  bool recomputes = false;  // keeps the input of each stage alone, and runs the stage again in the backward pass
  StageWatch* watch = nullptr;  // borrowed
};

class Stages {
 public:
  // Borrows `model`. ConfigError where the rule recomputes and the model's stages cannot be repeated.
  explicit Stages(Model& model, StageRule rule = {});

  int first_trained() const { return rule_.first_trained; }
  void be_watched_by(StageWatch* watch) { rule_.watch = watch; }  // borrowed; null: by nobody

  // The stages below the first trained one, as far as their activations can be kept by sample, without autograd: the
  // same for a sample at every draw, as long as no statistics of these stages move. Rows as Model::stage(); undefined
  // where there is no such stage.
  at::Tensor frozen_activations(const Inputs& inputs, Mode mode);
  // The stages above, over the result of frozen_activations(). Returns Model::features().
  at::Tensor trained_part(at::Tensor x, const Inputs& inputs, Mode mode);

  at::Tensor forward(const Inputs& inputs, Mode mode) {
    return trained_part(frozen_activations(inputs, mode), inputs, mode);
  }

 private:
  int num_kept() const;  // stages of frozen_activations()
  void follow_weights();
  at::Tensor run(int stage, const at::Tensor& x, const Inputs& inputs, Mode mode);  // before() told of, after() not
  void ran(int stage);
  void tell_of_backward(int stage, const at::Tensor& y);  // once the gradient of y, which the stage gave, is there
  Mode mode_of(int stage, Mode mode) const;

  Model& model_;
  StageRule rule_;
  std::vector<std::string> names_;  // of the spans in the trace
};

}  // namespace sft
