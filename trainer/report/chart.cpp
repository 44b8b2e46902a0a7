#include "trainer/report/chart.h"

#include <algorithm>

#include "base/text.h"
#include "trainer/report/curve_shape.h"
#include "trainer/report/html.h"
#include "trainer/report/svg_number.h"

namespace sft {
namespace {

// Units of the drawing, each way; the page decides how large they are.
constexpr double kUnits = 1000;

std::string color_class(size_t color) { return concat("c", color % 10); }

struct Frame {
  Axis x, y;
  std::string at(const Point& point) const {
    return concat(svg_number(kUnits * x.place(point.step)), " ", svg_number(kUnits * (1 - y.place(point.value))));
  }
};

// A dot is a line of no length with round ends: it stays round however the drawing is stretched.
std::string drawing(const Line& line, const Frame& frame) {
  std::string path, dots;
  for (const Point& point : line.points) {
    path += (path.empty() ? "M" : "L") + frame.at(point);
    dots += "M" + frame.at(point) + "h.01";
  }
  std::string out =
      concat("<path class=\"line ", color_class(line.color), line.style == Line::Style::faint ? " faint" : "",
             line.color / 10 % 2 == 1 ? " dash" : "", "\" d=\"", path, "\"/>");
  if (line.style == Line::Style::dotted || line.points.size() == 1)
    out += concat("<path class=\"dots ", color_class(line.color), "\" d=\"", dots, "\"/>");
  return out;
}

std::string grid(const Frame& frame) {
  std::string lines, labels;
  for (const Axis::Tick& tick : frame.y.ticks) {
    lines += concat("M0 ", svg_number(kUnits * (1 - tick.place)), "H", kUnits);
    labels +=
        concat("<span class=\"y\" style=\"top:", svg_number(100 * (1 - tick.place)), "%\">", html(tick.text),
               "</span>");
  }
  for (const Axis::Tick& tick : frame.x.ticks)
    labels +=
        concat("<span class=\"x\" style=\"left:", svg_number(100 * tick.place), "%\">", html(tick.text), "</span>");
  return concat("<svg viewBox=\"0 0 ", kUnits, " ", kUnits, "\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
                "<path class=\"grid\" d=\"", lines, "\"/>\n", "%LINES%</svg>", labels);
}

std::string legend(const std::vector<Line>& lines) {
  std::string out;
  for (const Line& line : lines)
    if (line.style != Line::Style::faint && !line.name.empty())
      out += concat("<span><i class=\"", color_class(line.color), "\"></i>", html(line.name), "</span>");
  return out.empty() ? "" : "<div class=\"legend\">" + out + "</div>";
}

// For the script: what is under the pointer.
std::string points_for_hover(const std::vector<Line>& lines, const Frame& frame) {
  nlohmann::ordered_json out{{"x", {frame.x.least, frame.x.most}}, {"lines", nlohmann::ordered_json::array()}};
  for (const Line& line : lines) {
    auto points = nlohmann::ordered_json::array();
    for (const Point& point : line.points)
      points.push_back({point.step, number_text(point.value), frame.y.place(point.value)});
    out["lines"].push_back({{"name", line.name}, {"color", color_class(line.color)}, {"points", std::move(points)}});
  }
  return "<script type=\"application/json\">" + json_in_html(out) + "</script>";
}

Frame frame_of(const std::vector<Line>& lines, Values values) {
  std::vector<const std::vector<Point>*> all;
  double first = lines[0].points[0].step, last = first;
  for (const Line& line : lines) {
    all.push_back(&line.points);
    first = std::min(first, line.points.front().step);
    last = std::max(last, line.points.back().step);
  }
  return {steps_axis(first <= 0.1 * last ? 0 : first, last),
          values == Values::scores ? scores_axis(all) : values_axis(all)};
}

}  // namespace

std::string chart(const std::string& title, const std::string& remark, std::vector<Line> lines, Values values) {
  std::erase_if(lines, [](const Line& line) { return line.points.empty(); });
  if (std::ranges::none_of(lines, [](const Line& line) { return line.points.size() > 1; })) return "";
  const Frame frame = frame_of(lines, values);
  std::string drawn;
  for (const Line& line : lines) drawn += drawing(line, frame);
  std::string plot = grid(frame);
  plot.replace(plot.find("%LINES%"), 7, drawn);
  std::string note = remark;
  if (frame.y.logarithmic) note += note.empty() ? "logarithmic" : ", logarithmic";
  return concat("<figure class=\"chart\"><figcaption><b>", html(title), "</b> <small>", html(note),
                "</small></figcaption>", legend(lines), "<div class=\"plot\" role=\"img\" aria-label=\"", html(title),
                "\">", plot, "</div>", points_for_hover(lines, frame), "</figure>\n");
}

}  // namespace sft
