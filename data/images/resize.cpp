// Two passes, along rows and then along columns, with weights in fixed point of 22 bits; what PIL's Resample.c
// computes, rounding included.
#include "data/images/resize.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sft {
namespace {

constexpr int kBits = 32 - 8 - 2;

// Which input samples an output sample is made of, and how much each counts.
struct Taps {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

// What a filter says at a distance, and how far it reaches: the triangle, and Keys's cubic with a = −1/2.
struct Filter {
  double (*at)(double distance);
  double reach;
};

double triangle(double distance) { return distance < 1.0 ? 1.0 - distance : 0.0; }

double cubic(double distance) {
  constexpr double a = -0.5;
  if (distance < 1.0) return ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1;
  if (distance < 2.0) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0.0;
}

Filter filter_of(Interpolation how) {
  return how == Interpolation::bicubic ? Filter{cubic, 2.0} : Filter{triangle, 1.0};
}

int32_t fixed(double weight) { return static_cast<int32_t>((weight < 0 ? -0.5 : 0.5) + weight * (1 << kBits)); }

std::vector<Taps> taps_of(int64_t in, int64_t out, Interpolation how) {
  const Filter filter = filter_of(how);
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double shrinks = std::max(scale, 1.0), support = filter.reach * shrinks;
  std::vector<Taps> all(static_cast<size_t>(out));
  std::vector<double> weights;
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const int64_t end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), in);
    weights.clear();
    double sum = 0;
    for (int64_t x = first; x < end; ++x) {
      weights.push_back(filter.at(std::abs((static_cast<double>(x) - center + 0.5) * (1.0 / shrinks))));
      sum += weights.back();
    }
    all[static_cast<size_t>(i)].first = first;
    for (const double weight : weights) all[static_cast<size_t>(i)].weights.push_back(fixed(weight / sum));
  }
  return all;
}

uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kBits, 0, 255)); }

Image along_rows(const Image& image, int64_t width, Interpolation how) {
  Image out{image.height, width, std::vector<uint8_t>(static_cast<size_t>(image.height * width * kChannels))};
  const std::vector<Taps> taps = taps_of(image.width, width, how);
  uint8_t* to = out.pixels.data();
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* row = image.pixels.data() + y * image.width * kChannels;
    for (const Taps& tap : taps) {
      for (int64_t c = 0; c < kChannels; ++c) {
        int32_t sum = 1 << (kBits - 1);
        const uint8_t* from = row + tap.first * kChannels + c;
        for (const int32_t weight : tap.weights) sum += *from * weight, from += kChannels;
        *to++ = rounded(sum);
      }
    }
  }
  return out;
}

Image along_columns(const Image& image, int64_t height, Interpolation how) {
  const int64_t row = image.width * kChannels;
  Image out{height, image.width, std::vector<uint8_t>(static_cast<size_t>(height * row))};
  const std::vector<Taps> taps = taps_of(image.height, height, how);
  uint8_t* to = out.pixels.data();
  for (const Taps& tap : taps) {
    for (int64_t x = 0; x < row; ++x) {
      int32_t sum = 1 << (kBits - 1);
      const uint8_t* from = image.pixels.data() + tap.first * row + x;
      for (const int32_t weight : tap.weights) sum += *from * weight, from += row;
      *to++ = rounded(sum);
    }
  }
  return out;
}

// Half of what is too much, rounded down as transformers' center_crop does, and not to even as torchvision's.
int64_t margin(int64_t size, int64_t wanted) { return (size - wanted) / 2; }

}  // namespace

Image resized(const Image& image, int64_t height, int64_t width, Interpolation how) {
  assert(image.height > 0 && image.width > 0 && height > 0 && width > 0);
  // PIL shortens columns first where rows grow: fewer samples are computed.
  if (height < image.height && width > image.width) return along_rows(along_columns(image, height, how), width, how);
  Image out = image.width == width ? image : along_rows(image, width, how);
  return out.height == height ? out : along_columns(out, height, how);
}

Covered covered_by(int64_t height, int64_t width, int64_t size) {
  const int64_t shorter = std::min(height, width);
  const auto scaled = [&](int64_t side) { return side == shorter ? size : size * side / shorter; };
  const int64_t h = scaled(height), w = scaled(width);
  return {h, w, {margin(h, size), margin(w, size), size, size}};
}

Image covering(const Image& image, int64_t size, Interpolation how) {
  const Covered covered = covered_by(image.height, image.width, size);
  return cut(resized(image, covered.height, covered.width, how).pixels.data(), covered.width, covered.middle);
}

Image cut(const uint8_t* pixels, int64_t width, const Window& window) {
  Image out{window.height, window.width, {}};
  out.pixels.reserve(static_cast<size_t>(window.height * window.width * kChannels));
  for (int64_t y = 0; y < window.height; ++y) {
    const uint8_t* from = pixels + ((window.top + y) * width + window.left) * kChannels;
    out.pixels.insert(out.pixels.end(), from, from + window.width * kChannels);
  }
  return out;
}

}  // namespace sft
