#include "comm/watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

using std::chrono::duration;
using Clock = std::chrono::steady_clock;

int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count(); }

// Begun calls count odd, ended ones even.
int64_t progress(const Status& status) { return 2 * status.sequence - (status.inside ? 1 : 0); }

// Its watchdog no longer writes: the process is stopped, or gone.
bool is_silent(const Status& status, double period) {
  return static_cast<double>(now() - status.alive_at) * 1e-9 > std::max(1.0, 4 * period);
}

// "sequence 812 all_reduce", "sequence 811 barrier done".
std::string call_of(const Status& status) {
  return concat("sequence ", status.sequence, " ", name_of(status.kind), status.inside ? "" : " done");
}

std::string place_of(const Status& status) {
  const std::string phase = status.phase_name();
  return phase.empty() ? "" : concat(", step ", status.step, " in ", phase);
}

}  // namespace

class Watchdog::Watched final : public Observed {
 public:
  Watched(std::unique_ptr<Communicator> inner, Watchdog& watchdog) : Observed(std::move(inner)), watchdog_(watchdog) {}

 private:
  void begin(const Operation& operation) override {
    Status& status = watchdog_.board_.mine();
    status.kind = operation.kind;
    status.bytes = static_cast<int64_t>(operation.bytes());
    status.sequence = ++watchdog_.calls_;
    status.inside = true;
  }
  void end(const Operation&) noexcept override { watchdog_.board_.mine().inside = false; }
  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override {
    return watchdog_.watch(std::move(part));
  }

  Watchdog& watchdog_;
};

Watchdog::Watchdog(Communicator& control, const std::string& host, double limit_seconds,
                   std::function<void(const std::string& message)> before_exit)
    : board_(control, host),
      host_(host),
      limit_(limit_seconds),
      period_(std::clamp(limit_seconds / 10, 0.01, 0.5)),
      before_exit_(std::move(before_exit)),
      thread_([this](std::stop_token stop) { run(stop); }) {}

Watchdog::~Watchdog() = default;

std::unique_ptr<Communicator> Watchdog::watch(std::unique_ptr<Communicator> inner) {
  return std::make_unique<Watched>(std::move(inner), *this);
}

void Watchdog::at(int64_t step, std::string_view phase) {
  board_.mine().step = step;
  board_.mine().set_phase(phase);
}

// Time is counted in ticks of this thread and not by the clock: a job that was suspended as a whole
// has not been waiting meanwhile.
void Watchdog::run(std::stop_token stop) {
  Status& status = board_.mine();
  int64_t call = 0;
  double waited = 0;
  auto last = Clock::now();
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    status.alive_at = now();
    wake_.wait_for(lock, stop, duration<double>(period_), [] { return false; });
    const auto tick = Clock::now();
    const double passed = std::min(duration<double>(tick - last).count(), 2 * period_);
    last = tick;
    waited = status.inside && status.sequence == call ? waited + passed : 0;
    call = status.sequence;
    if (waited >= limit_) bark(waited);
  }
}

// One rank of the host speaks, the lowest that waits; the others leave it a second for that.
void Watchdog::bark(double waited) {
  const Status& own = board_.mine();
  const auto speaker = std::ranges::find_if(board_.lines(), [&](const StatusBoard::Line& line) {
    return line.status == &own || (progress(*line.status) == progress(own) && !is_silent(*line.status, period_));
  });
  if (speaker->status == &own) {
    const std::string message = diagnosis(waited);
    const std::string line = concat("[sft-dist] ", message, "\n");
    // Past the log, whose lock another thread may hold.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (before_exit_) before_exit_(message);
  } else {
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  ::_exit(static_cast<int>(ExitCode::hang));
}

std::string Watchdog::diagnosis(double waited) const {
  const Status& ahead = *std::ranges::max_element(board_.lines(), {}, [](const StatusBoard::Line& line) {
                           return progress(*line.status);
                         })->status;
  std::vector<std::string> late;
  std::vector<std::string> different;
  for (const auto& [rank, status] : board_.lines()) {
    const bool silent = is_silent(*status, period_);
    if (silent || progress(*status) < progress(ahead))
      late.push_back(concat("rank ", rank, ", host ", host_, ", ", call_of(*status), place_of(*status),
                            silent ? ", not responding" : ""));
    else if (status->kind != ahead.kind || status->bytes != ahead.bytes)
      different.push_back(concat("rank ", rank, " calls ", name_of(status->kind), " of ",
                                 human_bytes(static_cast<double>(status->bytes))));
  }
  const std::string others =
      concat(call_of(ahead), " of ", human_bytes(static_cast<double>(ahead.bytes)), ", for ", human_seconds(waited));
  if (!late.empty()) return concat("late: ", join(late, "; "), "; others at ", others);
  if (!different.empty())
    return concat("ranks call different collectives: ", join(different, ", "), "; others at ", others);
  if (!board_.other_hosts().empty())
    return concat("late: no rank of host ", host_, ", all at ", others, "; look at ", join(board_.other_hosts(), ", "));
  return concat("hang: all ranks are at ", others, " and none gets on");
}

}  // namespace sft
