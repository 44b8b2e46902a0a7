#include "trainer/tasks/blocks/finite_outputs.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <limits>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

bool are_finite(const at::Tensor& outputs) { return at::isfinite(outputs).all().item<bool>(); }

void refuse_not_finite(const Batch& batch) {
  const auto [first, last] = std::ranges::minmax(batch.rows);
  throw Error(ExitCode::not_finite,
              concat("the outputs of the model are not finite (NaN or infinite) in rows ", first + 1, " to ", last + 1,
                     " of the input, so they give no result: are its weights those of its "
                     "config.json, and does model.dtype hold its numbers?"));
}

void add_undefined(Statistics& into) { std::ranges::fill(into.counts, std::numeric_limits<double>::quiet_NaN()); }

}  // namespace sft
