#include "trainer/tasks/object_detection/box_geometry.h"

#include <algorithm>

namespace sft {
namespace {

struct Corners {
  double left, top, right, bottom;
  explicit Corners(const std::array<double, 4>& box)
      : left(box[0] - 0.5 * box[2]),
        top(box[1] - 0.5 * box[3]),
        right(box[0] + 0.5 * box[2]),
        bottom(box[1] + 0.5 * box[3]) {}
  double area() const { return (right - left) * (bottom - top); }
};

}  // namespace

double generalized_iou(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  const Corners p(a), q(b);
  const double common = std::max(std::min(p.right, q.right) - std::max(p.left, q.left), 0.0) *
                        std::max(std::min(p.bottom, q.bottom) - std::max(p.top, q.top), 0.0);
  const double together = p.area() + q.area() - common;
  const double around = std::max(std::max(p.right, q.right) - std::min(p.left, q.left), 0.0) *
                        std::max(std::max(p.bottom, q.bottom) - std::min(p.top, q.top), 0.0);
  return common / together - (around - together) / around;
}

}  // namespace sft
