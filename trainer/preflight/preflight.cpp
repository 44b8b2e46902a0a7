#include "trainer/preflight/preflight.h"

#include <algorithm>

#include "base/errors.h"
#include "base/process.h"
#include "base/stopwatch.h"
#include "comm/agree.h"
#include "trainer/loop/optimizer_refs.h"
#include "trainer/preflight/device_memory.h"

namespace sft {
namespace {

int64_t bytes_of(const NamedTensors& tensors) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

double of_slowest(Communicator& control, double seconds) {
  return static_cast<double>(max(control, static_cast<int64_t>(seconds * 1e6))) * 1e-6;
}

}  // namespace

Preflight try_updates(Assembly& run, int64_t most_updates, double most_seconds) {
  Communicator& control = run.world.control;
  Preflight found;
  found.updates_per_epoch = run.update.loader->batches_per_epoch();
  const int64_t updates = std::min(most_updates, run.total_steps);
  double seconds = 0;
  restart_peak_of_device(run.world.device);
  for (int64_t step = 0; step < updates; ++step) {
    if (max(control, run.world.stop_requested && run.world.stop_requested() ? 1 : 0) > 0)
      throw Error(ExitCode::requeue, "stopped by a signal; nothing was saved", Reach::everywhere);
    const Stopwatch watch;
    run.trainer->step().loss_sum.item<double>();  // which waits for the device
    const double took = of_slowest(control, watch.seconds());
    if (step > 0 || updates == 1) {  // the first one warms up
      seconds += took;
      ++found.measured;
    }
    if (step > 0 && seconds > most_seconds) break;
  }
  found.seconds_per_update = seconds / static_cast<double>(std::max<int64_t>(found.measured, 1));
  found.available_bytes = available_memory_bytes();
  found.peak_rss_bytes = max(control, peak_rss_bytes());
  found.peak_device_bytes = max(control, peak_device_bytes(run.world.device));
  found.checkpoint_bytes = bytes_of(named_tensors(run.learner().saved()));
  if (!run.config().save.save_only_model) {
    const HostTensors optimizer = optimizer_in_host(run.update);
    for (const TensorRef& buffer : optimizer.refs()) found.checkpoint_bytes += buffer.bytes;
  }
  found.model_bytes = bytes_of(named_tensors(run.learner().parameters()));
  return found;
}

}  // namespace sft
