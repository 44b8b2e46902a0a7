// Progress for a person: one line that redraws itself on a terminal, sparse lines in a batch log.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "trainer/telemetry/event.h"

namespace sft {

class Console {
 public:
  enum class Style { bar, lines };

  // Where it writes, what time it is, and how many columns there are.
  struct Screen {
    std::function<void(std::string_view)> write;
    std::function<double()> seconds;
    std::function<size_t()> columns;
  };

  Console(Style style, Screen screen) : style_(style), screen_(std::move(screen)) {}
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void show(const Event& event);

  // Takes a bar away, so that somebody else can print a line; the next event draws it anew.
  void step_aside();

  static constexpr double kSecondsBetweenLines = 10;
  static constexpr double kSecondsBetweenBars = 0.1;

 private:
  void show_progress(const Event& event);
  void show_work(const Event& event);
  void draw_bar(const Event& event, double seconds_left);
  void print(const std::string& line);
  double seconds_left(const Event& event);

  Style style_;
  Screen screen_;
  bool bar_stands_ = false;
  bool spoken_ = false;
  double last_seconds_ = 0;  // of the last line or bar
  int64_t first_step_ = -1;  // of this start, with its time: the rate is measured from there
  double first_seconds_ = 0;
};

}  // namespace sft
