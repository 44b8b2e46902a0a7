// Progress for a person: one line that redraws itself on a terminal, sparse lines in a batch log.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/shown_work.h"
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

  // The name of a metric for people; "" where it is not told.
  using Spoken = std::function<std::string(const std::string& metric)>;

  Console(Style style, Screen screen, Spoken spoken = {})
      : style_(style), screen_(std::move(screen)), spoken_name_(std::move(spoken)) {}
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void show(const Event& event);

  // Work other than training; its bar is in the place of training's, which comes back at its end.
  void show(const WorkDone& work);
  void end_work();

  // Takes a bar away, so that somebody else can print a line; the next event draws it anew.
  void step_aside();

  static constexpr double kSecondsBetweenLines = 10;
  static constexpr double kSecondsBetweenBars = 0.1;

 private:
  void show_progress(const Event& event);
  // What does not fit the screen is left out, the last fields first.
  std::string bar_line(double share, const std::string& count, const std::vector<std::string>& fields) const;
  void draw(const std::string& bar);
  void erase_bar();
  void print(const std::string& line);
  double seconds_left(const Event& event);
  std::string metrics_text(const nlohmann::ordered_json& values, const std::string& prefix) const;

  Style style_;
  Screen screen_;
  Spoken spoken_name_;        // none: metrics have their own names
  std::mutex mutex_;          // who prints a line asks from any thread that a bar steps aside
  std::string training_bar_;  // the last one
  bool bar_stands_ = false;
  bool works_ = false;  // the bar is that of other work
  bool spoken_ = false;
  double last_seconds_ = 0;       // of the last line or bar
  double last_work_seconds_ = 0;  // likewise, of other work
  int64_t first_step_ = -1;  // of this start, with its time: the rate is measured from there
  double first_seconds_ = 0;
};

// make_console() of trainer/telemetry/event.h, where metrics have names for people.
Sink make_console(const std::string& style, Console::Spoken spoken);

}  // namespace sft
