// A line chart as an SVG that stretches with the page under HTML labels that do not: text keeps its size on
// any width, and nothing of it needs a script. A script adds values under the pointer.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/run_record.h"

namespace sft {

struct Line {
  enum class Style { solid, faint, dotted };  // dotted: with a dot at each point, for a few points
  std::string name;
  std::vector<Point> points;
  size_t color = 0;  // any number: after ten, the colours come again, dashed
  Style style = Style::solid;
};

enum class Values { any, scores };  // scores lie between -1 and 1

// "" where no line has two points.
std::string chart(const std::string& title, const std::string& remark, std::vector<Line> lines,
                  Values values = Values::any);

}  // namespace sft
