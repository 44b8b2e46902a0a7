#include "comm/watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/errors.h"
#include "base/every.h"
#include "base/log.h"
#include "base/text.h"

namespace sft {
namespace {

// Longer than a look is late on a crowded machine.
constexpr double kSilence = 0.5;
// What a host whose ranks all wait leaves the others, one of which may see who is late.
constexpr double kForOtherHosts = 1.0;
// What a launcher has to end this rank because of another's error, of which this rank's device tells only that a rank
// is gone.
constexpr double kForCause = 2.0;

// "sequence 812 all_reduce", "sequence 811 barrier done", "sequence 812 start_all_reduce queued (3 of 5 finished)".
std::string call_of(const Status& status) {
  if (status.sequence == 0) return "before any collective";
  const int64_t queued = status.queued, finished = status.finished;
  const std::string end = status.inside        ? ""
                          : finished == queued ? " done"
                                               : concat(" queued (", finished, " of ", queued, " finished)");
  return concat("sequence ", status.sequence, " ", name_of(status.kind), end);
}

// ", step 57 in save", ", in prepare".
std::string work_of(const Progress& progress) {
  const std::string phase = progress.phase_name(), in = phase.empty() ? "" : "in " + phase;
  const int64_t step = progress.step;
  if (step > 0) return concat(", step ", step, in.empty() ? "" : " ", in);
  return in.empty() ? "" : ", " + in;
}

}  // namespace

class Watchdog::Watched final : public Observed {
 public:
  Watched(std::unique_ptr<Communicator> made, Watchdog& watchdog)
      : Observed(std::move(made)), watchdog_(watchdog), queue_(dynamic_cast<DeviceQueue*>(&inner())) {
    if (queue_) watchdog_.devices_.add(*queue_);
  }
  ~Watched() override {
    if (queue_) watchdog_.devices_.remove(*queue_);
  }

 private:
  void begin(const Operation& operation) override { watchdog_.begin(operation.kind, operation.bytes()); }
  void end(const Operation&) noexcept override { watchdog_.end(); }
  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override {
    return watchdog_.watch(std::move(part));
  }

  Watchdog& watchdog_;
  DeviceQueue* queue_;  // of inner(); null where no device is behind it
};

Watchdog::Watchdog(Communicator& control, const std::string& host, double limit_seconds,
                   std::function<void(ExitCode code, const std::string& message)> before_exit)
    : board_(control, host),
      sights_(board_.lines().begin(), board_.lines().end()),
      own_(&*std::ranges::find(sights_, control.rank(), &Sight::rank)),
      host_(host),
      limit_(limit_seconds),
      period_(std::clamp(limit_seconds / 10, 0.01, 0.5)),
      before_exit_(std::move(before_exit)),
      devices_(board_.mine(), period_, std::min(kForCause, limit_ / 2),
               [this](const std::string& error) {
                 const Status& mine = board_.mine();
                 end(ExitCode::device, concat("rank ", own_->rank(), ", host ", host_, ", ", call_of(mine),
                                              work_of(mine.progress), ": ", error));
               }),
      thread_([this](const std::stop_token& stop) { every(period_, stop, [this](double passed) { look(passed); }); }) {
  keep_progress_in(&board_.mine().progress);
}

Watchdog::~Watchdog() { keep_progress_in(nullptr); }

std::unique_ptr<Communicator> Watchdog::watch(std::unique_ptr<Communicator> inner) {
  return std::make_unique<Watched>(std::move(inner), *this);
}

std::unique_ptr<Communicator> Watchdog::connect(const std::function<std::unique_ptr<Communicator>()>& make) {
  struct Call {
    explicit Call(Watchdog& of) : watchdog(of) { watchdog.begin(Operation::Kind::connect, 0); }
    ~Call() { watchdog.end(); }
    Watchdog& watchdog;
  };
  const auto called = [&] {
    const Call call(*this);
    return make();
  };
  return watch(called());
}

void Watchdog::begin(Operation::Kind kind, size_t bytes) {
  Status& status = board_.mine();
  status.kind = kind;
  status.bytes = static_cast<int64_t>(bytes);
  status.sequence = ++calls_;
  status.inside = true;
}

void Watchdog::look(double passed) {
  ++board_.mine().ticks;
  for (Sight& sight : sights_) sight.look(passed);
  if (must_bark()) bark();
}

bool Watchdog::is_late(const Sight& sight) const { return sight.silent() >= limit_ || sight.still() >= limit_; }
bool Watchdog::is_silent(const Sight& sight) const { return sight.silent() >= std::max(kSilence, 4 * period_); }

bool Watchdog::one_is_silent() const {
  return std::ranges::any_of(sights_, [&](const Sight& sight) { return sight.silent() >= limit_; });
}
bool Watchdog::one_is_late() const {
  return std::ranges::any_of(sights_, [&](const Sight& sight) { return is_late(sight); });
}

// A host that cannot say who is late leaves the other hosts some time to do so.
double Watchdog::limit() const { return limit_ + (one_is_late() || board_.other_hosts().empty() ? 0 : kForOtherHosts); }

// A rank that is outside of any collective and not late works. Where none is late, all of them wait, and the time runs
// from when the last of them came: the others may have waited long for one that worked.
bool Watchdog::must_bark() const {
  if (one_is_silent()) return true;
  const double since_all = one_is_late() ? 0 : limit();
  return own_->waiting() >= limit() && std::ranges::all_of(sights_, [&](const Sight& sight) {
           return is_late(sight) || (sight.waits() && sight.waiting() >= since_all);
         });
}

// One rank of the host speaks, the lowest that barks now; the others leave it a second for that.
void Watchdog::bark() {
  const auto speaker = std::ranges::find_if(sights_, [&](const Sight& sight) {
    if (&sight == own_) return true;
    return !is_silent(sight) && !is_late(sight) && (one_is_silent() || sight.waiting() + period_ >= limit());
  });
  if (&*speaker == own_) end(ExitCode::hang, diagnosis());
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ::_exit(static_cast<int>(ExitCode::hang));
}

void Watchdog::end(ExitCode code, const std::string& message) {
  const std::lock_guard only(ending_);
  const std::string line = concat(log::stamp(), "[sft-dist] ", message, "\n");
  // Past the log, whose lock another thread may hold.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  if (before_exit_) before_exit_(code, message);
  ::_exit(static_cast<int>(code));
}

std::string Watchdog::diagnosis() const {
  const Sight& first = *std::ranges::max_element(sights_, {}, &Sight::place);
  const Status& ahead = first.status();
  std::vector<std::string> late;
  std::vector<std::string> different;
  for (const Sight& sight : sights_) {
    const Status& status = sight.status();
    if (one_is_late() ? is_late(sight) : sight.place() < first.place())
      late.push_back(concat("rank ", sight.rank(), ", host ", host_, ", ", call_of(status), work_of(status.progress),
                            is_silent(sight) ? ", not responding" : ""));
    else if (status.kind != ahead.kind || status.bytes != ahead.bytes)
      different.push_back(concat("rank ", sight.rank(), " calls ", name_of(status.kind), " of ",
                                 human_bytes(static_cast<double>(status.bytes.load()))));
  }
  const std::string others = concat(call_of(ahead), " of ", human_bytes(static_cast<double>(ahead.bytes.load())),
                                    first.waits() ? concat(", for ", human_seconds(first.waiting())) : "");
  if (!late.empty()) return concat("late: ", join(late, "; "), "; others at ", others);
  if (!different.empty())
    return concat("ranks call different collectives: ", join(different, ", "), "; others at ", others);
  if (!board_.other_hosts().empty())
    return concat("late: no rank of host ", host_, ", all at ", others, work_of(ahead.progress), "; look at ",
                  join(board_.other_hosts(), ", "));
  return concat("hang: all ranks are at ", others, work_of(ahead.progress), " and none gets on", finished_by_rank());
}

// "; finished by the devices of rank 0: 811, 1: 810", where they are not at one.
std::string Watchdog::finished_by_rank() const {
  std::vector<std::string> counts;
  for (const Sight& sight : sights_) counts.push_back(concat(sight.rank(), ": ", sight.status().finished.load()));
  const bool differ = std::ranges::any_of(
      sights_, [&](const Sight& sight) { return sight.status().finished != sights_.front().status().finished; });
  return differ ? concat("; finished by the devices of rank ", join(counts, ", ")) : "";
}

}  // namespace sft
