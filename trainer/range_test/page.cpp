#include "trainer/range_test/page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "trainer/range_test/view.h"

namespace sft {
namespace {

// Of the drawing, in its own units.
constexpr double kWidth = 960, kHeight = 420, kLeft = 64, kRight = 16, kTop = 34, kBottom = 44;

const char* const kStyle = R"(
:root { color-scheme: light dark; --ground: #fbfbfa; --card: #fff; --ink: #1d2430; --soft: #667085; --rule: #e3e6ea;
  --curve: #2563eb; --dot: #94a3b8; --pick: #0f8a5f; --other: #b45309; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12151b; --card: #1a1f27; --ink: #e6e9ee; --soft: #98a2b3; --rule: #2c333e;
    --curve: #7aa5ff; --dot: #5c6b7f; --pick: #4cc9a0; --other: #ffb066; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 10px; }
.soft { color: var(--soft); }
.picks { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0; }
.picks div { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 18px; flex: 1 1 240px; }
.picks b { display: block; font-size: 28px; font-variant-numeric: tabular-nums; }
.pick b { color: var(--pick); } .other b { color: var(--other); }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 560px; height: auto; }
svg text { font-size: 13px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--rule); } .curve { fill: none; stroke: var(--curve); stroke-width: 2.5; stroke-linejoin: round; }
.dot { fill: var(--dot); } .mark { stroke-width: 1.5; stroke-dasharray: 5 4; }
.mark.pick { stroke: var(--pick); } .mark.other { stroke: var(--other); }
svg text.pick { fill: var(--pick); font-weight: 600; } svg text.other { fill: var(--other); font-weight: 600; }
code { font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 24px 4px 0; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; font-size: 13px; } .n { text-align: right; }
summary { cursor: pointer; color: var(--curve); }
)";

std::string html(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) {
    const std::string_view name = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : "";
    out += name.empty() ? std::string(1, c) : std::string(name);
  }
  return out;
}

std::string short_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

class Drawing {
 public:
  explicit Drawing(const RateCurve& curve) : curve_(curve), view_(curve) {}

  std::string svg() const {
    const std::optional<double> steepest = curve_.steepest(), tenth = curve_.tenth_of_minimum();
    return concat("<svg viewBox=\"0 0 ", kWidth, " ", kHeight, "\" role=\"img\" aria-label=\"loss by learning rate\">",
                  "<clipPath id=\"plot\"><rect x=\"", kLeft, "\" y=\"", kTop, "\" width=\"", kWidth - kLeft - kRight,
                  "\" height=\"", kHeight - kTop - kBottom, "\"/></clipPath>\n", grid(), "<g clip-path=\"url(#plot)\">",
                  dots(), line(), "</g>\n", mark(tenth, steepest, "other", "a tenth of the lowest point's", 14),
                  mark(steepest, tenth, "pick", "steepest", 28), "</svg>");
  }

 private:
  double x(double rate) const { return kLeft + view_.x(rate) * (kWidth - kLeft - kRight); }
  double y(double loss) const { return kHeight - kBottom - view_.y(loss) * (kHeight - kTop - kBottom); }

  std::string text_at(double x, double y, const char* anchor, const std::string& text, const char* kind = "") const {
    return concat("<text x=\"", number(x), "\" y=\"", number(y), "\" text-anchor=\"", anchor, "\" class=\"", kind,
                  "\">", text, "</text>");
  }

  std::string grid() const {
    std::string out;
    for (const double rate : view_.decades())
      out += concat("<path class=\"grid\" d=\"M", number(x(rate)), " ", kTop, "V", kHeight - kBottom, "\"/>",
                    text_at(x(rate), kHeight - kBottom + 20, "middle",
                            concat("10<tspan dy=\"-5\" font-size=\"10\">", std::lround(std::log10(rate)), "</tspan>")));
    constexpr int kLines = 5;
    for (int i = 0; i <= kLines; ++i) {
      const double loss = view_.least_loss + (view_.most_loss - view_.least_loss) * i / kLines;
      out += concat("<path class=\"grid\" d=\"M", kLeft, " ", number(y(loss)), "H", kWidth - kRight, "\"/>",
                    text_at(kLeft - 8, y(loss) + 4, "end", short_text(loss)));
    }
    return out + text_at(kLeft + (kWidth - kLeft - kRight) / 2, kHeight - 6, "middle", "learning rate") +
           text_at(4, kTop - 14, "start", "loss") + "\n";
  }

  std::string dots() const {
    std::string out;
    for (const RateCurve::Point& point : curve_.points())
      out += concat("<circle class=\"dot\" r=\"2.5\" cx=\"", number(x(point.rate)), "\" cy=\"", number(y(point.loss)),
                    "\"><title>rate ", rate_text(point.rate), ", loss ", loss_text(point.loss), ", smoothed ",
                    loss_text(point.smoothed), "</title></circle>");
    return out;
  }

  std::string line() const {
    std::string path;
    for (const RateCurve::Point& point : curve_.points())
      path += concat(path.empty() ? "M" : "L", number(x(point.rate)), " ", number(y(point.smoothed)));
    return concat("<path class=\"curve\" d=\"", path, "\"/>");
  }

  // The lower of two rates has its text on the left of its line, as far as there is room.
  std::string mark(const std::optional<double>& rate, const std::optional<double>& other, const char* kind,
                   const char* meaning, double height) const {
    if (!rate || *rate < view_.least_rate || *rate > view_.most_rate) return "";
    const bool left = view_.x(*rate) > 0.8 || (view_.x(*rate) > 0.2 && other && *rate < *other);
    return concat("<path class=\"mark ", kind, "\" d=\"M", number(x(*rate)), " ", number(height - 10), "V",
                  kHeight - kBottom, "\"/>",
                  text_at(x(*rate) + (left ? -6 : 6), height, left ? "end" : "start",
                          concat(meaning, ": ", rate_text(*rate)), kind));
  }

  const RateCurve& curve_;
  CurveView view_;
};

std::string pick(const std::optional<double>& rate, const char* kind, const char* meaning) {
  return concat("<div class=\"", kind, "\"><b>", rate ? rate_text(*rate) : "none", "</b>", meaning, "</div>\n");
}

std::string points_table(const RateCurve& curve) {
  std::string rows;
  for (const RateCurve::Point& point : curve.points())
    rows += concat("<tr><td class=\"n\">", rate_text(point.rate), "</td><td class=\"n\">", loss_text(point.loss),
                   "</td><td class=\"n\">", loss_text(point.smoothed), "</td></tr>\n");
  return concat("<details><summary>All ", curve.points().size(),
                " updates</summary><table><tr><th class=\"n\">learning "
                "rate</th><th class=\"n\">loss</th><th class=\"n\">smoothed</th></tr>\n",
                rows, "</table></details>\n");
}

std::string facts_table(const RangeFacts& facts) {
  std::string rows;
  for (const auto& [name, value] : facts)
    rows += concat("<tr><th>", html(name), "</th><td>", html(value), "</td></tr>\n");
  return "<table>" + rows + "</table>\n";
}

}  // namespace

std::string range_page(const RateCurve& curve, const RangeFacts& facts) {
  const std::string figure = curve.points().empty()
                                 ? "<p>No update had a finite loss: the lowest rate is too high already.</p>"
                                 : "<figure>" + Drawing(curve).svg() + "</figure>";
  return concat("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
                "<title>Learning-rate range test · sft-dist</title>\n<style>", kStyle,
                "</style>\n</head>\n<body>\n<main>\n",
                "<h1>Learning-rate range test</h1>\n<p class=\"soft\">Each update had a higher rate than the one "
                "before; dots are "
                "the losses of their batches, the line is their running mean. A good rate lies where the line falls "
                "fastest, well "
                "below the rate at which it turns up.</p>\n<div class=\"picks\">\n",
                pick(curve.steepest(), "pick", "suggested: where the loss falls fastest"),
                pick(curve.tenth_of_minimum(), "other", "a tenth of the rate at the lowest loss"), "</div>\n", figure,
                "\n<h2>Made with</h2>\n", facts_table(facts), "<h2>Numbers</h2>\n", points_table(curve),
                "</main>\n</body>\n</html>\n");
}

}  // namespace sft
