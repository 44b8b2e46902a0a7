// Who is told of each run of a stage, so that the weights that it reads are there: they may be spread over ranks, or
// still be under way from them.
#pragma once

namespace sft {

class StageWatch {
 public:
  virtual ~StageWatch() = default;
  // The stage runs next, or its weights are copied; Model::pooler_stage() and head_stage() are what stands on top of the
  // model's stages. A stage that is recomputed in the backward pass is told of once more.
  virtual void before(int stage) = 0;
  // The stage has run. Not told of what stands on top, nor of a stage that is recomputed: their backward passes follow.
  virtual void after(int stage) = 0;
  // A backward pass has the gradient of what the stage gave: all above the stage are done, and it is next.
  virtual void before_backward(int stage) = 0;
};

}  // namespace sft
