// Spans of time on the threads of this process, kept while somebody wants them: what a Chrome or Perfetto trace is
// made of. Where nobody does, a span costs one look at a flag.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sft::timeline {

struct Event {
  std::string name;
  int thread = 0;      // 1 for the first that had a span, 2 for the next, ...
  double begin = 0;    // microseconds since 1970 by a clock that goes on evenly from start()
  double seconds = 0;  // its length
};

inline std::atomic<bool> wanted{false};

// Keeps spans that end from now on, at most so many: later ones are dropped.
void start(size_t most = 1'000'000);
// What was kept, in the order of ending; nothing more is.
std::vector<Event> stop();

double now();  // seconds of the clock that spans are measured by
void add(std::string name, double begin_seconds);

// From construction to destruction.
class Span {
 public:
  explicit Span(std::string_view name) : name_(name), begin_(wanted ? now() : -1.0) {}
  ~Span() {
    if (begin_ >= 0.0) add(std::string(name_), begin_);
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  std::string_view name_;  // of a literal
  double begin_;
};

// What call() gives; the call is a span.
template <class Call>
auto spanned(std::string_view name, Call&& call) {
  const Span span(name);
  return std::forward<Call>(call)();
}

}  // namespace sft::timeline
