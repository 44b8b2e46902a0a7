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

std::vector<Taps> taps_of(int64_t in, int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double support = std::max(scale, 1.0);  // of the triangle: 1, wider where the image shrinks
  std::vector<Taps> all(static_cast<size_t>(out));
  std::vector<double> weights;
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const int64_t end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), in);
    weights.clear();
    double sum = 0;
    for (int64_t x = first; x < end; ++x) {
      const double distance = std::abs((static_cast<double>(x) - center + 0.5) * (1.0 / support));
      weights.push_back(distance < 1.0 ? 1.0 - distance : 0.0);
      sum += weights.back();
    }
    all[static_cast<size_t>(i)].first = first;
    for (const double weight : weights)
      all[static_cast<size_t>(i)].weights.push_back(static_cast<int32_t>(0.5 + weight / sum * (1 << kBits)));
  }
  return all;
}

uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kBits, 0, 255)); }

Image along_rows(const Image& image, int64_t width) {
  Image out{image.height, width, std::vector<uint8_t>(static_cast<size_t>(image.height * width * kChannels))};
  const std::vector<Taps> taps = taps_of(image.width, width);
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

Image along_columns(const Image& image, int64_t height) {
  const int64_t row = image.width * kChannels;
  Image out{height, image.width, std::vector<uint8_t>(static_cast<size_t>(height * row))};
  const std::vector<Taps> taps = taps_of(image.height, height);
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

Image cut(const Image& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  Image out{height, width, {}};
  out.pixels.reserve(static_cast<size_t>(height * width * kChannels));
  for (int64_t y = 0; y < height; ++y) {
    const auto from = image.pixels.begin() + ((top + y) * image.width + left) * kChannels;
    out.pixels.insert(out.pixels.end(), from, from + width * kChannels);
  }
  return out;
}

// Half of what is too much, halves rounded to even as Python does.
int64_t margin(int64_t size, int64_t wanted) { return std::llrint(static_cast<double>(size - wanted) / 2.0); }

}  // namespace

Image resized(const Image& image, int64_t height, int64_t width) {
  assert(image.height > 0 && image.width > 0 && height > 0 && width > 0);
  // PIL shortens columns first where rows grow: fewer samples are computed.
  if (height < image.height && width > image.width) return along_rows(along_columns(image, height), width);
  Image out = image.width == width ? image : along_rows(image, width);
  return out.height == height ? out : along_columns(out, height);
}

Image covering(const Image& image, int64_t size) {
  const int64_t shorter = std::min(image.height, image.width);
  const auto scaled = [&](int64_t side) { return side == shorter ? size : size * side / shorter; };
  const Image large = resized(image, scaled(image.height), scaled(image.width));
  return cut(large, margin(large.height, size), margin(large.width, size), size, size);
}

}  // namespace sft
