// What a network sees of pixels: (p / 255 − mean) / std of each colour, or of grey, which is made of the colours as
// PIL's convert("L") makes it: (19595 R + 38470 G + 7471 B + 32768) / 65536, rounded down.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace sft {

struct PixelScale {
  std::vector<double> mean, std;  // of red, green and blue, or of grey alone
  int64_t channels() const { return static_cast<int64_t>(mean.size()); }
};

inline const PixelScale kImageNetPixels{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};

// "image_mean" and "image_std" of config.json's content, filled up with `otherwise`: keys of our own, beside those of
// transformers, which keeps them in preprocessor_config.json. ConfigError names the key, what it wants and what was
// found; also where "num_channels" is neither 3 nor 1.
PixelScale read_pixel_scale(nlohmann::json& content, const PixelScale& otherwise);

// [B, 3, H, W] → [B, 1, H, W]: of whole numbers the grey above, of floating ones, which somebody differentiates by, the
// same sum without rounding.
at::Tensor grey_of(const at::Tensor& pixels_BCHW);

class ScaledPixels {
 public:
  ScaledPixels(const PixelScale& scale, const at::TensorOptions& options);

  // uint8, or floating 0 … 255, [B, H, W, 3] → [B, channels, H, W] of the options' type; planes lie one behind the
  // other on a CPU, channels stay last in memory on a device.
  at::Tensor of(const at::Tensor& pixels_BHWC) const;

 private:
  at::Tensor mean_, std_;  // [1, channels, 1, 1]
};

}  // namespace sft
