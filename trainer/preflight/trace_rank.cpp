#include "trainer/preflight/trace_rank.h"

#include <algorithm>
#include <map>

#include "base/errors.h"
#include "base/process.h"
#include "base/timeline.h"
#include "trainer/assembly/run_settings.h"

namespace sft {
namespace {

int64_t bytes_of(const Parameters& parameters) {
  int64_t bytes = 0;
  for (const Parameter& parameter : parameters) bytes += static_cast<int64_t>(parameter.value.nbytes());
  return bytes;
}

// What does not change from update to update.
planning::Weighed weighed_parts(const Assembly& run, int64_t program_bytes) {
  const Arena& arena = *run.update.arena;
  const Learner& learner = run.learner();
  planning::Weighed parts;
  parts.element = static_cast<int64_t>(arena.values().element_size());
  parts.trained = arena.size() * parts.element;
  parts.others =
      bytes_of(learner.parameters()) - arena.num_parameters() * parts.element + bytes_of(learner.model().buffers());
  parts.moments = static_cast<double>(run.update.optimizer->state().size());
  parts.bucket = run.config().comm.bucket_bytes;
  std::map<int, int64_t> of_stage;
  for (const Placed& placed : arena.placed()) {
    parts.largest_trained = std::max(parts.largest_trained, placed.size * parts.element);
    of_stage[placed.parameter.stage] += placed.size * parts.element;
  }
  for (const auto& [stage, bytes] : of_stage) parts.largest_stage = std::max(parts.largest_stage, bytes);
  parts.program = program_bytes;
  parts.overlaps = run.world.gradients.overlaps();
  parts.on_device = !run.world.device.is_cpu();
  return parts;
}

}  // namespace

RankTrace trace_rank(Assembly& run, const imagined::Journal& journal, Allocations& allocations, int64_t program_bytes,
                     int64_t most_updates, double most_seconds) {
  const double ranks = run.world.control.size();
  const int64_t limit = micro_batch_tokens(run.config(), run.world.device);
  const auto work = work_of(run.learner());
  RankTrace trace;
  trace.updates_of_epoch = run.update.loader->batches_per_epoch();
  trace.updates_of_run = run.total_steps;
  trace.rows_of_update = run.global_batch_size;
  trace.weighed = weighed_parts(run, program_bytes);
  double seconds = 0;
  const int64_t updates = std::min(most_updates, run.total_steps);
  for (int64_t step = 0; step < updates; ++step) {
    if (run.world.stop_requested && run.world.stop_requested())
      throw Error(ExitCode::requeue, "stopped by a signal; nothing was saved", Reach::everywhere);
    const size_t first_call = journal.size();
    const int64_t before = allocations.bytes();
    allocations.restart_peak();
    const double begin = timeline::now();
    StepReport report = run.trainer->step();
    run.update.gradients->whole();   // weights that come during the next update are reckoned as waited for in this one
    report.loss_sum.item<double>();  // which waits for the device
    const double end = timeline::now();
    // The imagined peers have as many tokens each.
    const auto tokens = static_cast<int64_t>(static_cast<double>(report.tokens) / ranks);
    report.loss_sum.reset();
    if (step == 0) trace.weighed.copies = std::max<int64_t>(0, allocations.bytes() - before);
    if (step == 0 && updates > 1) continue;  // it warms up
    trace.updates.push_back(planning::traced_update(journal, first_call, begin, end));
    trace.flops += work(tokens, std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(report.samples) / ranks)));
    const int64_t held = step == 0 ? before + trace.weighed.copies : before;
    trace.weighed.activations = std::max(trace.weighed.activations, allocations.peak() - held);
    trace.weighed.tokens = std::max(trace.weighed.tokens, std::min(limit, tokens));
    seconds += end - begin;
    if (seconds > most_seconds) break;
  }
  trace.resident = peak_rss_bytes();
  trace.strategy = run.config().parallel.strategy;
  trace.may_spread_weights = why_not_spread(run.config(), run.learner().model()).empty();
  trace.flops /= static_cast<double>(trace.updates.size());
  return trace;
}

}  // namespace sft
