// Each character is a Braille cell, 2 × 4 dots.
#include "trainer/range_test/plot.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "trainer/range_test/view.h"

namespace sft {
namespace {

constexpr size_t kColumns = 68, kRows = 14, kLabel = 9;

class Dots {
 public:
  void set(double x, double y) {  // 0 … 1; nothing outside
    if (y < 0 || y > 1) return;
    const auto column = static_cast<size_t>(std::lround(x * (2 * kColumns - 1)));
    const auto row = static_cast<size_t>(std::lround((1 - y) * (4 * kRows - 1)));
    constexpr unsigned kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    cells_[row / 4][column / 2] |= kBits[row % 4][column % 2];
  }
  std::string line(size_t row) const {
    std::string out;
    for (const unsigned cell : cells_[row]) {
      const unsigned code = 0x2800 + cell;
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
    return out;
  }

 private:
  unsigned cells_[kRows][kColumns] = {};
};

void draw(Dots& dots, const RateCurve& curve, const CurveView& view) {
  const auto& points = curve.points();
  for (size_t i = 0; i < points.size(); ++i) {
    const RateCurve::Point &a = points[i], &b = points[std::min(i + 1, points.size() - 1)];
    constexpr int kBetween = 24;  // enough that a steep stretch has no gaps
    for (int k = 0; k < kBetween; ++k) {
      const double t = static_cast<double>(k) / kBetween;
      dots.set((1 - t) * view.x(a.rate) + t * view.x(b.rate), (1 - t) * view.y(a.smoothed) + t * view.y(b.smoothed));
    }
  }
}

std::string right_aligned(const std::string& text) {
  return std::string(kLabel - std::min(kLabel, text.size()), ' ') + text;
}

size_t column_of(const CurveView& view, double rate) {
  return static_cast<size_t>(std::lround(std::clamp(view.x(rate), 0.0, 1.0) * (kColumns - 1)));
}

// "1e-05" under each power of ten, as far as there is room.
std::string rates_line(const CurveView& view) {
  std::string line(kLabel + 2, ' ');
  for (const double rate : view.decades()) {
    const std::string text = concat("1e", rate < 1 ? "-" : "+", std::lround(std::abs(std::log10(rate))));
    const size_t at = kLabel + 2 + column_of(view, rate);
    if (at < line.size() + (line.size() > kLabel + 2 ? 1 : 0)) continue;
    line.resize(at, ' ');
    line += text;
  }
  return line;
}

std::string mark(const CurveView& view, const std::optional<double>& rate, const std::string& meaning) {
  if (!rate) return "";
  const std::string text = concat(rate_text(*rate), "  ", meaning);
  const size_t column = column_of(view, *rate);
  const std::string arrow = "▲";
  if (column < kColumns / 2) return std::string(kLabel + 2 + column, ' ') + arrow + " " + text + "\n";
  return std::string(kLabel + 1 + column - std::min(column, text.size()), ' ') + text + " " + arrow + "\n";
}

}  // namespace

std::string plot_text(const RateCurve& curve) {
  if (curve.points().empty()) return "";
  const CurveView view(curve);
  Dots dots;
  draw(dots, curve, view);
  std::string out = concat(right_aligned("loss"), " ┬\n");
  for (size_t row = 0; row < kRows; ++row) {
    const double loss = view.most_loss - (static_cast<double>(row) + 0.5) / kRows * (view.most_loss - view.least_loss);
    const bool labelled = row % 4 == 1;
    out += concat(right_aligned(labelled ? loss_text(loss) : ""), labelled ? " ┤" : " │", dots.line(row), "\n");
  }
  std::string axis = right_aligned("") + " └";
  for (size_t column = 0; column < kColumns; ++column) axis += "─";
  out += concat(axis, " rate\n", rates_line(view), "\n");
  return out + mark(view, curve.steepest(), "steepest fall") +
         mark(view, curve.tenth_of_minimum(), "a tenth of the lowest point's");
}

}  // namespace sft
