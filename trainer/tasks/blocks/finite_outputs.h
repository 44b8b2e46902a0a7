// Outputs of a model that are no numbers are the ground of no result.
#pragma once

#include <ATen/core/Tensor.h>

#include "data/samples/batch.h"
#include "trainer/tasks/task.h"

namespace sft {

// Whether all of them are finite.
bool are_finite(const at::Tensor& outputs);

// Error with ExitCode::not_finite that names the rows of the input in the batch.
[[noreturn]] void refuse_not_finite(const Batch& batch);

// What a batch without finite outputs adds to an evaluation: not-a-number to each count, and no row.
void add_undefined(Statistics& into);

}  // namespace sft
