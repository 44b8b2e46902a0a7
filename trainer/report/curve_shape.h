// Curves as they are drawn.
#pragma once

#include <vector>

#include "trainer/report/run_record.h"

namespace sft {

// At most about `most` points that keep every peak: of each stretch its lowest and its highest.
std::vector<Point> thinned(const std::vector<Point>& points, size_t most = 600);

// The mean of each point and its neighbours, a fiftieth of the curve to each side; fewer near the ends, as many on
// either side, so that a curve that falls is not drawn late.
std::vector<Point> smoothed(const std::vector<Point>& points);

struct Axis {
  struct Tick {
    double place;  // 0 … 1
    std::string text;
  };
  double least = 0, most = 1;
  bool logarithmic = false;
  std::vector<Tick> ticks;

  double place(double value) const;  // 0 at `least`, 1 at `most`
};

// Round ticks, about `wanted` of them.
Axis steps_axis(double least, double most, int wanted = 6);
// Logarithmic where the values are positive and the highest lies far above most of them.
Axis values_axis(const std::vector<const std::vector<Point>*>& lines, int wanted = 5);
// Of scores, which end at 1: a tenth of that or more, so that a tie looks like one.
Axis scores_axis(const std::vector<const std::vector<Point>*>& lines, int wanted = 5);

}  // namespace sft
