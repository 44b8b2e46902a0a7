#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <ctime>
#include <memory>
#include <mutex>
#include <set>

#include "base/terminal_line.h"
#include "base/text.h"

namespace sft::log {
namespace {

std::atomic<int> own_rank{0};
std::atomic<Talk> own_talk{Talk::usual};
std::atomic<bool> is_stamped{false};

spdlog::logger& logger() {
  static const auto made = [] {
    auto fresh = std::make_shared<spdlog::logger>("sft-dist", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    fresh->set_pattern("%v");
    fresh->flush_on(spdlog::level::trace);
    return fresh;
  }();
  return *made;
}

// A message may quote a file, a label or a peer's error: it must not be able to drive a terminal.
void print(const char* severity, const std::string& message) {
  const int rank = own_rank.load();
  clear_terminal_line();
  const std::string who = rank == 0 ? "" : concat(" rank ", rank, ":");
  logger().log(spdlog::level::info, spdlog::string_view_t(concat(stamp(), "[sft-dist]", who, severity, ' ',
                                                                 escaped(message, "\n\t"))));
}

}  // namespace

void start(int rank, int /*world*/) { own_rank = rank; }

void set_talk(Talk talk) { own_talk = talk; }

Talk talk() { return own_talk; }

void set_stamped(bool stamped) { is_stamped = stamped; }

std::string stamp() {
  if (!is_stamped) return "";
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S ", ::localtime_r(&now, &parts))};
}

void detail(const std::string& message) {
  if (own_rank.load() == 0) detail_of_each_rank(message);
}

void detail_of_each_rank(const std::string& message) {
  if (own_talk.load() == Talk::detailed) print("", message);
}

void info(const std::string& message) {
  if (own_rank.load() == 0 && own_talk.load() != Talk::quiet) print("", message);
}

void warn(const std::string& message) { print(" warning:", message); }

void error(const std::string& message) { print(" error:", message); }

void warn_once(const std::string& message) {
  static std::mutex mutex;
  static std::set<std::string> said;
  if (own_rank.load() != 0) return;
  const std::lock_guard lock(mutex);
  if (said.insert(message).second) warn(message);
}

}  // namespace sft::log
