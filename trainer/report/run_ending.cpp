#include "trainer/report/run_ending.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// Seconds since 1970 of the last write; 0 where there is no such file.
std::time_t written_at(const fs::path& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_mtime : 0;
}

std::string utc_text(std::time_t time) {
  if (time == 0) return "";
  char text[32];
  std::tm parts{};
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", ::gmtime_r(&time, &parts));
  return text;
}

// What an exit code of README means, for a run that ended with it.
std::string meaning_of(int code) {
  switch (static_cast<ExitCode>(code)) {
    case ExitCode::requeue:
      return "stopped with a checkpoint; the same command goes on";
    case ExitCode::hang:
      return "a rank hung and the watchdog ended the run";
    case ExitCode::config:
      return "something was wrong in the config";
    case ExitCode::bad_content:
      return "a file held something wrong";
    case ExitCode::not_finite:
      return "loss or gradients were not finite";
    case ExitCode::cannot_write:
      return "something could not be written";
    case ExitCode::out_of_memory:
      return "out of memory";
    case ExitCode::device:
      return "a device or the communication failed";
    default:
      return "failed";
  }
}

}  // namespace

// A summary or an exit status counts only if nothing was logged after it, and no start has opened it again.
void judge_ending(RunRecord& record) {
  const fs::path directory(record.directory);
  const std::time_t logged = written_at(directory / "metrics.jsonl"), ended = written_at(directory / "exit_status");
  const std::time_t summed = written_at(directory / "summary.json");
  record.last_heard = utc_text(std::max({logged, summed, written_at(directory / "config.toml")}));
  const std::string reason = record.text_told("exit_reason"), at_end = record.text_told("ended_at");
  const nlohmann::ordered_json at = record.told({"global_step"});
  const bool is_current = at.is_number() && at.get<int64_t>() >= record.last_step && reason != "going_on";
  // "2026-11-25T16:12:03Z"; a file's own time changes when it is copied.
  if (is_current && at_end.size() > 16)
    record.last_heard = concat(at_end.substr(0, 10), " ", at_end.substr(11, 5), " UTC");
  if (is_current && (reason == "finished" || reason == "early_stopping")) {
    record.state = RunRecord::State::finished;
    record.ending = reason == "finished" ? "finished" : "stopped early: no gain for the config's patience";
  } else if (is_current && reason == "not_saved") {
    record.state = RunRecord::State::failed;
    record.ending = "the last checkpoint could not be saved (exit code 81); the same command goes on";
  } else if (is_current && reason == "pruned") {
    record.state = RunRecord::State::paused;
    record.ending = concat("pruned at step ", record.last_step, ": other trials of its sweep were better by then");
  } else if (is_current && !reason.empty()) {
    record.state = RunRecord::State::paused;
    record.ending = concat("stopped by ", reason == "signal" ? "a signal" : reason, " with a checkpoint; ",
                           "the same command goes on");
  } else {
    int code = 0;
    std::ifstream(directory / "exit_status") >> code;
    const bool failed = ended != 0 && ended >= logged && code != 0;
    record.state = !failed ? RunRecord::State::open : code == 75 ? RunRecord::State::paused : RunRecord::State::failed;
    record.ending = failed ? concat(meaning_of(code), " (exit code ", code, ")")
                           : concat("has not ended; last heard of at ", record.last_heard);
  }
}

}  // namespace sft
