#include "base/progress.h"

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/text.h"

namespace sft {
namespace {

thread_local Progress own;
thread_local Progress* kept_in = nullptr;  // null: in `own`

void copy(const Progress& from, Progress& to) {
  to.beats = from.beats.load();
  to.step = from.step.load();
  for (size_t i = 0; i < to.phase.size(); ++i) to.phase[i] = from.phase[i].load();
}

}  // namespace

void Progress::set_phase(std::string_view name) {
  std::array<char, sizeof phase> text{};
  std::copy_n(name.begin(), std::min(name.size(), text.size()), text.begin());
  std::array<uint64_t, 2> words;
  std::memcpy(words.data(), text.data(), text.size());
  for (size_t i = 0; i < words.size(); ++i) phase[i] = words[i];
}

std::string Progress::phase_name() const {
  const std::array<uint64_t, 2> words{phase[0], phase[1]};
  std::array<char, sizeof phase + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  return text.data();
}

TimedPhase::~TimedPhase() { log::detail(concat(name_, " took ", human_seconds(watch_.seconds()))); }

Progress& progress() { return kept_in != nullptr ? *kept_in : own; }

void keep_progress_in(Progress* place) {
  const Progress& before = progress();
  copy(before, place != nullptr ? *place : own);
  kept_in = place;
}

}  // namespace sft
