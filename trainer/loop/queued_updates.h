// Updates whose outcome is heard of later than they are queued.
#pragma once

#include <ATen/core/Tensor.h>

#include <deque>
#include <string>

#include "trainer/loop/late_number.h"
#include "trainer/loop/run_state.h"
#include "trainer/optim/schedule.h"

namespace sft {

// A device leaves an update out by itself where the norm of its gradients is not finite; which it was is heard of here
// and counted in the run's state. Every rank has the same norms and asks for them at the same places.
class QueuedUpdates {
 public:
  // Borrows both. `speaks`: warns of updates that were left out.
  QueuedUpdates(RunState& state, const Schedule& schedule, bool speaks)
      : state_(state), schedule_(schedule), speaks_(speaks) {}

  // 1 where the norm is NaN or infinite, else 0: a float32 scalar on its device.
  static at::Tensor is_left_out(const at::Tensor& norm);

  // The update behind the state's. `norm`: of its gradients, a scalar. Without weight nobody made it.
  void add(bool has_weight, const at::Tensor& norm);

  // Of all but the last so many. Error with ExitCode::not_finite on every rank where five in a row were left out.
  void hear(size_t but_the_last = 0);

 private:
  struct Update {
    int64_t before;  // updates before it
    bool has_weight;
    LateNumber norm;
  };
  void count_left_out(int64_t before, const std::string& because);

  RunState& state_;
  const Schedule& schedule_;
  bool speaks_;
  std::deque<Update> unheard_;
};

}  // namespace sft
