// Progress for a person, on standard error: one line that redraws itself on a terminal, sparse lines in a batch log.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/stopwatch.h"
#include "base/text.h"
#include "trainer/telemetry/event.h"

namespace sft {
namespace {

constexpr double kSecondsBetweenLines = 10;
constexpr int kBarWidth = 20;

double number(const Event& event, const char* key, double otherwise = -1) {
  const auto found = event.values.find(key);
  return found != event.values.end() && found->is_number() ? found->get<double>() : otherwise;
}

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// The value of a metric as it is printed: "NaN" and the like are strings.
std::string shown(const nlohmann::ordered_json& value) {
  return value.is_number() ? formatted("%.4g", value.get<double>()) : value.is_string() ? value.get<std::string>() : "";
}

// "loss 1.234  lr 2.0e-04  82 samples/s  1,024 tokens/s  1m05s left  GEMM 63 %"; what is absent is left out.
std::string progress_text(const Event& event, double seconds_left) {
  std::string text = "loss " + (event.values.contains("loss") ? shown(event.values["loss"]) : std::string("-"));
  if (number(event, "learning_rate") >= 0) text += formatted("  lr %.2g", number(event, "learning_rate"));
  if (number(event, "samples_per_second") > 0) text += formatted("  %.3g samples/s", number(event, "samples_per_second"));
  if (number(event, "tokens_per_second") > 0) text += "  " + human_count(number(event, "tokens_per_second")) + " tokens/s";
  if (seconds_left > 0) text += "  " + human_seconds(seconds_left) + " left";
  if (number(event, "gemm_share") > 0) text += formatted("  GEMM %.0f %%", 100 * number(event, "gemm_share"));
  return text;
}

std::string evaluation_text(const Event& event) {
  std::string text = concat("evaluation at step ", event.step, ":");
  for (const char* key : {"eval_loss", "eval_accuracy", "eval_f1", "eval_mcc"})
    if (event.values.contains(key)) text += concat("  ", key + 5, " ", shown(event.values[key]));
  return text;
}

class Console {
 public:
  explicit Console(bool redraws) : redraws_(redraws) {}
  ~Console() {
    if (drawn_) std::fputc('\n', stderr);
  }

  void operator()(const Event& event) {
    if (event.kind == Event::Kind::evaluation) line(evaluation_text(event));
    if (event.kind == Event::Kind::train && event.values.contains("loss")) progress(event);
    if (event.kind == Event::Kind::summary && drawn_) {
      std::fputc('\n', stderr);
      drawn_ = false;
    }
  }

 private:
  void progress(const Event& event) {
    if (first_step_ < 0) first_step_ = event.step, first_seconds_ = watch_.seconds();
    const double done = static_cast<double>(event.step - first_step_);
    const double left = done > 0 ? (watch_.seconds() - first_seconds_) / done * static_cast<double>(event.total_steps - event.step) : 0;
    const bool last = event.step == event.total_steps;
    if (redraws_) return redraw(event, left);
    if (!last && spoken_ && watch_.seconds() - last_line_ < kSecondsBetweenLines) return;
    last_line_ = watch_.seconds();
    spoken_ = true;
    line(concat("step ", event.step, " of ", event.total_steps, formatted(" (epoch %.2f)  ", number(event, "epoch", 0)), progress_text(event, left)));
  }

  void redraw(const Event& event, double left) {
    const int filled = event.total_steps > 0 ? static_cast<int>(kBarWidth * event.step / event.total_steps) : 0;
    std::string bar;
    for (int i = 0; i < kBarWidth; ++i) bar += i < filled ? "█" : "░";
    std::fprintf(stderr, "\r\033[K%s %lld/%lld  epoch %.2f  %s", bar.c_str(), static_cast<long long>(event.step), static_cast<long long>(event.total_steps),
                 number(event, "epoch", 0), progress_text(event, left).c_str());
    std::fflush(stderr);
    drawn_ = true;
  }

  void line(const std::string& text) {
    std::fprintf(stderr, "%s%s\n", drawn_ ? "\r\033[K" : "", text.c_str());
    std::fflush(stderr);
    drawn_ = false;
  }

  bool redraws_;
  bool drawn_ = false, spoken_ = false;
  int64_t first_step_ = -1;
  double first_seconds_ = 0, last_line_ = 0;
  Stopwatch watch_;
};

}  // namespace

Sink make_console(const std::string& style) {
  if (style == "none") return [](const Event&) {};
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const auto console = std::make_shared<Console>(style == "bar" || (style == "auto" && terminal));
  return [console](const Event& event) { (*console)(event); };
}

}  // namespace sft
