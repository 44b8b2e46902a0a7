#include "trainer/loop/queued_updates.h"

#include <ATen/TensorOperators.h>

#include <cmath>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr int64_t kMostNotFinite = 5;  // updates in a row, after which the run is given up

}  // namespace

// 0 times what is not finite is NaN, which is not equal to 0.
at::Tensor QueuedUpdates::is_left_out(const at::Tensor& norm) { return (norm * 0).ne(0).to(at::kFloat); }

void QueuedUpdates::add(bool has_weight, const at::Tensor& norm) {
  unheard_.push_back({state_.step, has_weight, LateNumber(norm)});
}

void QueuedUpdates::hear(size_t but_the_last) {
  while (unheard_.size() > but_the_last) {
    const Update update = std::move(unheard_.front());
    unheard_.pop_front();
    if (update.has_weight && std::isfinite(update.norm.value()))
      state_.not_finite_in_a_row = 0;
    else
      count_left_out(update.before, update.has_weight ? "its gradients are not finite" : "its rows have no weight");
  }
}

// The update number counts as used.
void QueuedUpdates::count_left_out(int64_t before, const std::string& because) {
  ++state_.skipped_updates;
  ++state_.not_finite_in_a_row;
  if (speaks_) log::warn(concat("update ", before + 1, " skipped: ", because));
  if (state_.not_finite_in_a_row >= kMostNotFinite)
    throw Error(ExitCode::not_finite,
                concat(kMostNotFinite, " updates in a row, up to ", before + 1,
                       ", were skipped; of the last one: ", because,
                       ". Look at data.weight_column and train.class_weights, lower optim.learning_rate (",
                       schedule_.rate(before), " now) or set train.max_grad_norm"),
                Reach::everywhere);
}

}  // namespace sft
