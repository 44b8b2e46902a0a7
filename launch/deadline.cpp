#include "launch/deadline.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "base/config_file.h"
#include "base/errors.h"
#include "base/text.h"
#include "launch/siblings.h"
#include "trainer/config/run_config.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// "" where the command line names none.
std::string config_of(const Arguments& arguments) {
  if (arguments.target.empty() || arguments.command == "inspect" || arguments.command == "init") return "";
  const fs::path path = arguments.target;
  return fs::is_directory(path) ? (path / "config.toml").string() : path.string();
}

}  // namespace

double waiting_limit(const Arguments& arguments) {
  RunConfig config;
  Origins origins;
  try {
    const std::string path = config_of(arguments);
    if (!fs::is_regular_file(path)) return config.comm.timeout_seconds;
    load_file(bind_fields(config), path, origins);
    apply_overrides(bind_fields(config), arguments.overrides, origins);
  } catch (const std::exception&) {
    return CommConfig().timeout_seconds;
  }
  return config.comm.timeout_seconds;
}

Deadline::Deadline(double seconds, std::function<void(double)> late)
    : late_(std::move(late)), thread_([this, seconds](std::stop_token stop) { run(stop, seconds); }) {}

// Counted in pieces: a job that was suspended as a whole has not been waiting meanwhile.
void Deadline::run(std::stop_token stop, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::duration<double> kPiece{0.1};
  std::unique_lock lock(mutex_);
  auto last = Clock::now();
  double next = seconds;
  for (double waited = 0;;) {
    wake_.wait_for(lock, stop, kPiece, [] { return false; });
    if (stop.stop_requested()) return;
    const auto now = Clock::now();
    waited += std::min(std::chrono::duration<double>(now - last), 2 * kPiece).count();
    last = now;
    if (waited < next) continue;
    next += seconds;
    late_(waited);
  }
}

std::string who_is_late(const std::string& host, const std::string& phase, double waited, double limit) {
  const std::string since = concat(" in ", phase, ", for ", human_seconds(waited));
  std::vector<std::string> late;
  for (const Sibling& sibling : siblings())
    if (sibling.is_stopped) late.push_back(concat("rank ", sibling.rank, ", host ", host, ", in ", phase, ", stopped"));
  if (!late.empty()) return concat("late: ", join(late, "; "), "; others wait", since);
  if (waited < std::max(limit, CommConfig().timeout_seconds)) return "";
  return concat("late: some rank,", since, "; none of host ", host,
                " is stopped. Look at the other hosts, and whether hosts reach each other (mpirun --mca "
                "btl_tcp_if_include names a network)");
}

bool tells_for_its_host(int rank) {
  const std::vector<Sibling> all = siblings();
  const auto first = std::ranges::find(all, false, &Sibling::is_stopped);
  return first == all.end() || first->rank == rank;
}

}  // namespace sft
