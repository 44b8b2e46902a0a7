#include "trainer/planning/update.h"

#include <algorithm>
#include <cassert>

namespace sft::planning {
namespace {

using Kind = Operation::Kind;

bool is_started(Kind kind) {
  return kind == Kind::start_all_reduce || kind == Kind::start_reduce_scatter || kind == Kind::start_all_gather;
}

// The clock of the rank, and the end of the last of its calls.
class Replay {
 public:
  void compute(double seconds) {
    const double beside = std::clamp((free_ - now_) / (1 + kBesideSums), 0.0, seconds);
    now_ += seconds + beside * kBesideSums;
  }
  double call(double seconds) { return free_ = std::max(free_, now_) + seconds; }
  void stand_until(double end) {
    waiting_ += std::max(0.0, end - now_);
    now_ = std::max(now_, end);
  }

  double now() const { return now_; }
  double waiting() const { return waiting_; }

 private:
  double now_ = 0, free_ = 0, waiting_ = 0;
};

}  // namespace

TracedUpdate traced_update(const imagined::Journal& journal, size_t first, double begin, double end) {
  TracedUpdate update;
  double in_calls = 0;
  for (size_t i = first; i < journal.size(); ++i) {
    const imagined::Call& call = journal[i];
    assert(call.kind != Kind::wait || call.waits_for >= first);
    update.calls.push_back({.kind = call.kind,
                            .bytes = static_cast<double>(call.bytes),
                            .waits_for = call.kind == Kind::wait ? call.waits_for - first : 0,
                            .at = call.begin - begin - in_calls});
    in_calls += call.end - call.begin;
  }
  update.computing = end - begin - in_calls;
  return update;
}

PlannedUpdate plan_update(const TracedUpdate& update, const Fabric& fabric, double speed) {
  PlannedUpdate planned{.computing = update.computing / speed};
  Replay replay;
  std::vector<double> ends(update.calls.size());
  double computed = 0;
  for (size_t i = 0; i < update.calls.size(); ++i) {
    const Called& call = update.calls[i];
    replay.compute((call.at - computed) / speed);
    computed = call.at;
    if (call.kind == Kind::wait) {
      replay.stand_until(ends[call.waits_for]);
      continue;
    }
    const double seconds = seconds_of(fabric, call.kind, call.bytes);
    ends[i] = replay.call(seconds);
    if (!is_started(call.kind)) replay.stand_until(ends[i]);
    planned.collective += seconds;
    planned.bytes += call.bytes;
  }
  replay.compute((update.computing - computed) / speed);
  planned.seconds = replay.now();
  planned.waiting = replay.waiting();
  return planned;
}

PlannedUpdate plan_updates(const std::vector<TracedUpdate>& updates, const Fabric& fabric, double speed) {
  assert(!updates.empty());
  const double share = 1.0 / static_cast<double>(updates.size());
  PlannedUpdate mean;
  for (const TracedUpdate& update : updates) {
    const PlannedUpdate one = plan_update(update, fabric, speed);
    mean.seconds += one.seconds * share;
    mean.computing += one.computing * share;
    mean.waiting += one.waiting * share;
    mean.collective += one.collective * share;
    mean.bytes += one.bytes * share;
  }
  return mean;
}

}  // namespace sft::planning
