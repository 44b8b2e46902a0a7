// A field whose value is absent is left out; on a terminal so is one that does not fit, since a bar that
// wraps can no longer be redrawn.
#include "trainer/telemetry/console.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/stopwatch.h"
#include "base/terminal.h"
#include "base/terminal_line.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr size_t kBarCells = 20;
constexpr std::string_view kSeparator = "  ";
constexpr std::string_view kEraseLine = "\r\033[K";

template <class... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 96> text;
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

// The value of a key as text; what is not finite comes as its name. None for lists, tables and what is absent.
std::optional<std::string> text_of(const nlohmann::ordered_json& values, const std::string& key, const char* format) {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  if (found->is_number()) return formatted(format, found->get<double>());
  if (found->is_string()) return found->get<std::string>();
  return std::nullopt;
}

double number_of(const nlohmann::ordered_json& values, const char* key) {
  const auto found = values.find(key);
  return found != values.end() && found->is_number() ? found->get<double>() : -1;
}

std::string rate_text(double per_second) {
  return per_second < 10     ? formatted("%.2f", per_second)
         : per_second < 1000 ? formatted("%.0f", per_second)
                             : human_count(per_second);
}

// The fields of a progress line, the most wanted first.
std::vector<std::string> fields_of(const Event& event, double seconds_left) {
  std::vector<std::string> fields;
  const auto& values = event.values;
  if (const auto epoch = text_of(values, "epoch", "%.2f")) fields.push_back("epoch " + *epoch);
  if (const auto loss = text_of(values, "loss", "%.4g")) fields.push_back("loss " + *loss);
  if (const auto rate = text_of(values, "learning_rate", "%.2e")) fields.push_back("lr " + *rate);
  if (seconds_left > 0) fields.push_back(human_seconds(seconds_left) + " left");
  for (const auto& [key, unit] : {std::pair{"samples_per_second", " samples/s"}, {"tokens_per_second", " tokens/s"}})
    if (const double rate = number_of(values, key); rate > 0) fields.push_back(rate_text(rate) + unit);
  if (const double share = number_of(values, "gemm_share"); share > 0)
    fields.push_back(formatted("%.0f%% of GEMM peak", 100 * share));
  return fields;
}

// "finished: 600 steps, 3.00 epochs in 3m12s (1,532 samples/s)"
std::string summary_text(const Event& event) {
  std::string text = concat(text_of(event.values, "exit_reason", "%g").value_or("finished"), ": ",
                            human_count(static_cast<double>(event.step)), " steps");
  if (const auto epochs = text_of(event.values, "epoch", "%.2f")) text += concat(", ", *epochs, " epochs");
  if (const double seconds = number_of(event.values, "train_runtime"); seconds >= 0)
    text += concat(" in ", human_seconds(seconds));
  if (const double rate = number_of(event.values, "train_samples_per_second"); rate > 0)
    text += concat(" (", rate_text(rate), " samples/s)");
  return text;
}

double share_of(int64_t done, int64_t total) {
  return total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
}

std::string bar_of(double share) {
  const auto filled = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kBarCells);
  std::string bar;
  for (size_t cell = 0; cell < kBarCells; ++cell) bar += cell < filled ? "█" : "░";
  return bar + " ";
}

// "evaluated 1,200 of 5,000 samples"
std::string amount_of(const WorkDone& work) {
  const auto done = static_cast<double>(work.done), total = static_cast<double>(work.total);
  if (work.unit == "bytes") return concat(work.name, " ", human_bytes(done), " of ", human_bytes(total));
  return concat(work.name, " ", human_count(done), " of ", human_count(total), " ", work.unit);
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace

Console::~Console() {
  if (bar_stands_) screen_.write("\n");
}

void Console::show(const Event& event) {
  const std::lock_guard lock(mutex_);
  switch (event.kind) {
    case Event::Kind::train:
      return show_progress(event);
    case Event::Kind::evaluation:
      return print(concat("evaluation at step ", event.step, ": ", metrics_text(event.values, "eval_")));
    case Event::Kind::summary:
      if (bar_stands_) screen_.write("\n");  // the last bar stays
      bar_stands_ = false;
      training_bar_.clear();
      print(summary_text(event));
      if (const auto test = event.values.find("test_metrics"); test != event.values.end() && test->is_object())
        print(concat("test: ", metrics_text(*test, "")));
  }
}

void Console::show_progress(const Event& event) {
  if (!event.values.contains("loss")) return;
  const double now = screen_.seconds(), left = seconds_left(event);
  const double pause = style_ == Style::bar ? kSecondsBetweenBars : kSecondsBetweenLines;
  if (spoken_ && now - last_seconds_ < pause && event.step < event.total_steps) return;
  spoken_ = true;
  last_seconds_ = now;
  const std::string count = concat(event.step, "/", event.total_steps);
  if (style_ == Style::lines)
    return print(concat("step ", count, kSeparator, join(fields_of(event, left), kSeparator)));
  training_bar_ = bar_line(share_of(event.step, event.total_steps), count, fields_of(event, left));
  draw(training_bar_);
}

// Short work shows nothing.
void Console::show(const WorkDone& work) {
  const std::lock_guard lock(mutex_);
  const bool draws = style_ == Style::bar;
  const double now = screen_.seconds();
  if (std::min(work.seconds, now - last_work_seconds_) < (draws ? kSecondsBetweenBars : kSecondsBetweenLines)) return;
  last_work_seconds_ = now;
  const double share = share_of(work.done, work.total);
  const std::string left = share > 0 && share < 1 ? human_seconds(work.seconds * (1 / share - 1)) + " left" : "";
  if (!draws) return print(concat(amount_of(work), left.empty() ? "" : kSeparator, left));
  works_ = true;
  draw(bar_line(share, amount_of(work), {left}));
}

void Console::end_work() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(works_, false) || !bar_stands_) return;
  training_bar_.empty() ? erase_bar() : draw(training_bar_);
}

// "loss 0.4012, accuracy 0.8712 (2.3s)": every metric that is one value, of the keys that begin with `prefix`.
std::string Console::metrics_text(const nlohmann::ordered_json& values, const std::string& prefix) const {
  std::vector<std::string> metrics;
  std::string took;
  for (const auto& [key, value] : values.items()) {
    if (!key.starts_with(prefix)) continue;
    const std::string name = key.substr(prefix.size());
    const bool is_time = name == "runtime" || name == "seconds";
    if (is_time && value.is_number()) took = concat(" (", human_seconds(value.get<double>()), ")");
    if (is_time || name == "samples_per_second") continue;
    const std::string told = spoken_name_ ? spoken_name_(name) : name;
    if (const auto text = text_of(values, key, "%.4g"); text && !told.empty())
      metrics.push_back(concat(told, " ", *text));
  }
  return join(metrics, ", ") + took;
}

// From the rate since this start, pauses for evaluations and checkpoints included.
double Console::seconds_left(const Event& event) {
  const double now = screen_.seconds();
  if (first_step_ < 0) {
    first_step_ = event.step;
    first_seconds_ = now;
  }
  const auto done = static_cast<double>(event.step - first_step_);
  return done > 0 ? (now - first_seconds_) / done * static_cast<double>(event.total_steps - event.step) : 0;
}

std::string Console::bar_line(double share, const std::string& count, const std::vector<std::string>& fields) const {
  const size_t columns = screen_.columns();
  std::string line = columns < 2 * kBarCells ? "" : bar_of(share);
  if (columns_of(line) + columns_of(count) >= columns) line.clear();
  line += count.substr(0, std::max<size_t>(columns, 1) - 1);
  for (const std::string& field : fields) {
    if (field.empty()) continue;
    if (columns_of(line) + kSeparator.size() + columns_of(field) >= columns) break;
    line += concat(kSeparator, field);
  }
  return line;
}

void Console::draw(const std::string& bar) {
  screen_.write(concat(kEraseLine, bar));
  bar_stands_ = true;
}

void Console::erase_bar() {
  if (bar_stands_) screen_.write(kEraseLine);
  bar_stands_ = false;
}

void Console::step_aside() {
  const std::lock_guard lock(mutex_);
  erase_bar();
}

// Takes the place of a bar, which comes back below it.
void Console::print(const std::string& line) {
  screen_.write(concat(bar_stands_ ? kEraseLine : "", log::stamp(), line, "\n"));
  bar_stands_ = false;
}

Sink make_console(const std::string& style) { return make_console(style, {}); }

Sink make_console(const std::string& style, Console::Spoken spoken) {
  set_work_viewer({});
  if (style == "none" || log::talk() == log::Talk::quiet) return [](const Event&) {};
  const std::shared_ptr<const Terminal> terminal = Terminal::of_standard_error();
  const bool draws = style == "bar" || (style == "auto" && terminal);
  const auto columns = [terminal]() -> size_t { return terminal ? terminal->columns() : 120; };
  const auto write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  const auto console =
      std::make_shared<Console>(draws ? Console::Style::bar : Console::Style::lines,
                                Console::Screen{write, [watch = Stopwatch()] { return watch.seconds(); }, columns},
                                std::move(spoken));
  // Both do nothing once the sink is gone.
  const auto if_here = [here = std::weak_ptr(console)](const auto& act) {
    if (const auto standing = here.lock()) act(*standing);
  };
  set_terminal_line([if_here] { if_here([](Console& shown) { shown.step_aside(); }); });
  set_work_viewer({.show = [if_here](const WorkDone& work) { if_here([&](Console& shown) { shown.show(work); }); },
                   .end = [if_here] { if_here([](Console& shown) { shown.end_work(); }); }});
  return [console](const Event& event) { console->show(event); };
}

}  // namespace sft
