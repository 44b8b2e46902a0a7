#include "base/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

enum class Action { kill, stop, raise, sleep, storage_error };

struct Armed {
  std::string name;
  Action action = Action::raise;
  double argument = 0.0;  // seconds, or an errno
  int64_t passage = 0;    // the one that acts; 0: every one
  std::atomic<int64_t> passed{0};
};
using ArmedPoints = std::vector<std::unique_ptr<Armed>>;

std::atomic<const ArmedPoints*> armed_points{nullptr};

[[noreturn]] void refuse(std::string_view entry, const char* why) {
  throw ConfigError(concat("SFT_FAILPOINTS: ", in_quotes(entry), ": ", why,
                           "; wanted rank=N or NAME[@PASSAGE]=kill|stop|throw|sleep:SECONDS|errno:NUMBER"));
}

template <class Number>
Number number(std::string_view text, std::string_view entry) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) refuse(entry, "a number is malformed");
  return value;
}

void read_action(Armed& armed, std::string_view text, std::string_view entry) {
  const auto colon = text.find(':');
  const std::string_view verb = text.substr(0, colon);
  const bool has_argument = colon != std::string_view::npos;
  static const std::map<std::string_view, Action> kVerbs = {{"kill", Action::kill},
                                                            {"stop", Action::stop},
                                                            {"throw", Action::raise},
                                                            {"sleep", Action::sleep},
                                                            {"errno", Action::storage_error}};
  const auto found = kVerbs.find(verb);
  if (found == kVerbs.end()) refuse(entry, "unknown action");
  armed.action = found->second;
  if (has_argument != (verb == "sleep" || verb == "errno")) refuse(entry, "argument missing or too many");
  if (has_argument) armed.argument = number<double>(text.substr(colon + 1), entry);
}

void act(const Armed& armed) {
  switch (armed.action) {
    case Action::kill:
      ::kill(::getpid(), SIGKILL);
      break;
    case Action::stop:
      ::kill(::getpid(), SIGSTOP);
      break;
    case Action::raise:
      throw Error(ExitCode::internal, concat("failpoint ", armed.name, " was armed to throw"));
    case Action::sleep:
      std::this_thread::sleep_for(std::chrono::duration<double>(armed.argument));
      break;
    case Action::storage_error:
      throw StorageError(
          concat("failpoint ", armed.name, ": ", std::generic_category().message(static_cast<int>(armed.argument))));
  }
}

}  // namespace

void arm_failpoints(int rank) {
  armed_points = nullptr;
  const char* variable = std::getenv("SFT_FAILPOINTS");
  if (variable == nullptr || *variable == '\0') return;

  auto fresh = std::make_unique<ArmedPoints>();
  bool concerns_us = true;  // a rank=N speaks for all entries after it
  for (std::string_view rest = variable; !rest.empty();) {
    const std::string_view entry = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    if (entry.empty()) continue;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0) refuse(entry, "'=' is missing");
    const std::string_view place = entry.substr(0, equals), verb = entry.substr(equals + 1);
    if (place == "rank") {
      concerns_us = number<int>(verb, entry) == rank;
      continue;
    }
    auto armed = std::make_unique<Armed>();
    const auto at = place.find('@');
    armed->name = place.substr(0, at);
    if (at != std::string_view::npos) armed->passage = number<int64_t>(place.substr(at + 1), entry);
    read_action(*armed, verb, entry);
    if (concerns_us) fresh->push_back(std::move(armed));
  }
  if (fresh->empty()) return;
  // Never freed: another thread may be passing, even while the process ends.
  static auto& kept = *new std::vector<std::unique_ptr<const ArmedPoints>>;
  armed_points = kept.emplace_back(std::move(fresh)).get();
}

void failpoint(std::string_view name) {
  const ArmedPoints* armed = armed_points.load(std::memory_order_acquire);
  if (armed == nullptr) return;
  for (const auto& entry : *armed) {
    if (entry->name != name) continue;
    const int64_t passage = ++entry->passed;
    if (entry->passage == 0 || entry->passage == passage) act(*entry);
  }
}

}  // namespace sft
