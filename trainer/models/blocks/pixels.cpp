#include "trainer/models/blocks/pixels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {
namespace {

using nlohmann::json;

std::vector<double> of_channels(json& content, const char* key, const std::vector<double>& otherwise, size_t channels,
                                bool positive) {
  const json& value = content.emplace(key, otherwise).first.value();
  const bool good = value.is_array() && value.size() == channels && std::ranges::all_of(value, [&](const json& v) {
                      return v.is_number() && (!positive || v.get<double>() > 0);
                    });
  const std::string above = positive ? " above 0" : "";
  if (!good)
    ConfigReader(content).refuse(key, channels == 1 ? concat("a list of one number", above, ", for grey")
                                                    : concat("three numbers", above, ", for red, green and blue"));
  return value.get<std::vector<double>>();
}

// Of the colours' values, that of grey.
std::vector<double> mean_of(const std::vector<double>& colours) {
  return {std::accumulate(colours.begin(), colours.end(), 0.0) / static_cast<double>(colours.size())};
}

}  // namespace

at::Tensor grey_of(const at::Tensor& pixels_BCHW) {
  const bool is_floating = pixels_BCHW.is_floating_point();
  const at::Tensor colours = is_floating ? pixels_BCHW : pixels_BCHW.to(at::kInt);
  const at::Tensor sum = colours.select(1, 0) * 19595 + colours.select(1, 1) * 38470 + colours.select(1, 2) * 7471;
  return (is_floating ? sum.div(65536) : at::bitwise_right_shift(sum + 32768, 16)).unsqueeze(1);
}

PixelScale read_pixel_scale(json& content, const PixelScale& otherwise) {
  ConfigReader read(content);
  const int64_t channels = read.count("num_channels", 3);
  if (channels != 3 && channels != 1) read.refuse("num_channels", "3 (images are RGB) or 1 (they are made grey)");
  const auto usual = [&](const std::vector<double>& colours) { return channels == 1 ? mean_of(colours) : colours; };
  PixelScale scale;
  const auto count = static_cast<size_t>(channels);
  scale.mean = of_channels(content, "image_mean", usual(otherwise.mean), count, false);
  scale.std = of_channels(content, "image_std", usual(otherwise.std), count, true);
  return scale;
}

ScaledPixels::ScaledPixels(const PixelScale& scale, const at::TensorOptions& options)
    : mean_(at::tensor(scale.mean, at::kDouble).to(options).view({1, -1, 1, 1})),
      std_(at::tensor(scale.std, at::kDouble).to(options).view({1, -1, 1, 1})) {}

at::Tensor ScaledPixels::of(const at::Tensor& pixels_BHWC) const {
  const auto layout = pixels_BHWC.is_cpu() ? at::MemoryFormat::Contiguous : at::MemoryFormat::Preserve;
  const at::Tensor colours = pixels_BHWC.permute({0, 3, 1, 2});
  const at::Tensor pixels_BCHW = (mean_.size(1) == 1 ? grey_of(colours) : colours)
                                     .to(mean_.scalar_type(), /*non_blocking=*/false, /*copy=*/false, layout);
  return pixels_BCHW.div(255).sub_(mean_).div_(std_);
}

}  // namespace sft
