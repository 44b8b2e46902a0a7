#include "data/images/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sft {
namespace {

constexpr int64_t kSeen = 224;        // pixels of the longer side, from which on nothing is enlarged
constexpr double kMostColour = 0.75;  // what the strongest cell has of it; the rest is the picture
constexpr std::array<double, 3> kFor{214, 39, 40}, kAgainst{31, 119, 180};

double grey(const uint8_t* pixel) { return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]; }

}  // namespace

Image heat_map(const Image& image, const std::vector<double>& scores, int64_t side) {
  double strongest = 0;
  for (const double score : scores) strongest = std::max(strongest, std::abs(score));
  const int64_t columns = (image.width + side - 1) / side;
  const int64_t times = std::max<int64_t>(1, kSeen / std::max(image.height, image.width));
  Image map{image.height * times, image.width * times, {}};
  map.pixels.reserve(static_cast<size_t>(map.height * map.width * kChannels));
  for (int64_t y = 0; y < map.height; ++y)
    for (int64_t x = 0; x < map.width; ++x) {
      const int64_t row = y / times, column = x / times;
      const double score = scores[static_cast<size_t>(row / side * columns + column / side)];
      const double share = strongest > 0 ? kMostColour * std::abs(score) / strongest : 0;
      const double light = grey(&image.pixels[static_cast<size_t>((row * image.width + column) * kChannels)]);
      const auto& colour = score > 0 ? kFor : kAgainst;
      for (const double of_colour : colour)
        map.pixels.push_back(static_cast<uint8_t>(std::lround((1 - share) * light + share * of_colour)));
    }
  return map;
}

}  // namespace sft
