// Between the tensors of an autograd function and the dropout of its kernels.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/drop_rate.h"

namespace torch::autograd {
struct AutogradContext;
}

namespace sft {

// draws, positions: contiguous int64 [N], alive while the kernel runs.
RowDropout row_dropout(const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions);

void save_dropout(torch::autograd::AutogradContext* ctx, const Dropout& dropout);
Dropout saved_dropout(torch::autograd::AutogradContext* ctx);

}  // namespace sft
