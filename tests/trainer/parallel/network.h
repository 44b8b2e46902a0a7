// A two-layer classifier and the batches it is trained on, the same on every rank.
#pragma once

#include <ATen/ATen.h>

#include "trainer/models/parameter.h"
#include "trainer/models/stage_watch.h"
#include "trainer/optim/optim_config.h"

namespace sft {

struct Shape {
  int64_t inputs = 5, hidden = 7, classes = 3;
};

struct Network {
  explicit Network(at::ScalarType type, bool trunk_frozen = false, Shape sizes = {}) : shape(sizes) {
    const auto weights = [&](int64_t rows, int64_t columns, double phase) {
      return at::sin(at::arange(rows * columns, at::kDouble) * 1.7 + phase).view({rows, columns}).to(type);
    };
    all = {{"trunk.weight", weights(shape.hidden, shape.inputs, 0.1), 1, true},
           {"trunk.bias", weights(1, shape.hidden, 0.2).view({shape.hidden}), 1, false},
           {"classifier.weight", weights(shape.classes, shape.hidden, 0.3), 3, true},
           {"classifier.bias", weights(1, shape.classes, 0.4).view({shape.classes}), 3, false}};
    for (const Parameter& parameter : all) {
      if (!(trunk_frozen && parameter.stage == 1)) trained.push_back(parameter);
    }
  }

  // Summed over rows [first, last) of the global batch of update `step`. `watch` is told of the trunk as stage 1 and of
  // the classifier, which stands on top, as stage 3.
  at::Tensor loss_sum(int64_t step, int64_t first, int64_t last, StageWatch* watch = nullptr) const {
    const auto type = all[0].value.scalar_type();
    const at::Tensor rows = at::arange(first, last, at::kDouble).unsqueeze(1);
    const at::Tensor x =
        at::sin(rows * 0.9 + at::arange(shape.inputs, at::kDouble) * 2.3 + static_cast<double>(step)).to(type);
    const at::Tensor labels = (at::arange(first, last, at::kLong) + step) % shape.classes;
    if (watch != nullptr) watch->before(1);
    const at::Tensor hidden = at::tanh(at::linear(x, all[0].value, all[1].value));
    if (watch != nullptr) {
      watch->after(1);
      if (hidden.requires_grad()) hidden.register_hook([watch](const at::Tensor&) { watch->before_backward(1); });
      watch->before(3);
    }
    const at::Tensor logits = at::linear(hidden, all[2].value, all[3].value);
    return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum);
  }

  Shape shape;
  Parameters all, trained;
};

inline OptimConfig adamw() {
  OptimConfig config;
  config.weight_decay = 0.1;
  config.layer_decay = 0.9;
  return config;
}

// Rows of the global batch of an update: ragged, and fewer than four ranks now and then, so that some are empty.
inline int64_t batch_rows(int64_t step) { return step % 3 == 0 ? 2 : 8 + step % 5; }

}  // namespace sft
