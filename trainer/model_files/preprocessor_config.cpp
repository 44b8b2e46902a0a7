#include "trainer/model_files/preprocessor_config.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/json_member.h"
#include "base/log.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr char kImageSize[] = "sft_dist_image_size", kImageCrop[] = "sft_dist_crop",
               kFile[] = "preprocessor_config.json";
constexpr const char* kScaleKeys[] = {"image_mean", "image_std"};
constexpr int64_t kBilinear = 2, kBicubic = 3;  // PIL's
constexpr double kAsUsual = 1e-6;               // as 1/255 is written in few digits

}  // namespace

nlohmann::json preprocessor_config(const nlohmann::json& model, const ImageProcessor& processor,
                                   const DataConfig& data) {
  const bool covers = data.crop != "none";
  const int64_t size = data.image_size;
  // Those of transformers that cut the middle out, of masks too.
  const char* cutting = processor.takes_masks ? "MobileNetV2ImageProcessor" : "CLIPImageProcessor";
  nlohmann::json out = {{"image_processor_type", covers && !processor.takes_boxes ? cutting : processor.type},
                        {"do_resize", size > 0},
                        {"do_rescale", true},
                        {"rescale_factor", 1.0 / 255},
                        {"do_normalize", true},
                        {"image_mean", model.at("image_mean")},
                        {"image_std", model.at("image_std")},
                        {"resample", interpolation_of(data) == Interpolation::bicubic ? kBicubic : kBilinear},
                        {kImageSize, size},
                        {kImageCrop, covers ? "center" : "none"}};
  if (size > 0 && !covers) out["size"] = {{"height", size}, {"width", size}};
  if (size > 0 && covers) {
    out["size"] = {{"shortest_edge", size}};
    out["crop_size"] = {{"height", size}, {"width", size}};
  }
  if (processor.takes_boxes && size > 0) {  // the longer side fits, and the rest of the square is padded
    out["size"] = {{"max_height", size}, {"max_width", size}};
    out["pad_size"] = {{"height", size}, {"width", size}};
    out["do_pad"] = true;
    out["format"] = "coco_detection";
  }
  out["do_center_crop"] = size > 0 && covers;
  if (processor.takes_masks) out["do_reduce_labels"] = data.reduce_labels;
  return out;
}

void read_image_settings(const nlohmann::json& content, DataConfig& into) {
  if (!content.is_object() || !content.contains(kImageSize)) return;
  into.image_size = member(content, kImageSize, int64_t{0}, kFile);
  into.crop = member(content, kImageCrop, std::string("none"), kFile);
}

nlohmann::json pixel_scale(const nlohmann::json& content, const std::string& path, size_t num_channels) {
  nlohmann::json scale = nlohmann::json::object();
  if (!content.is_object()) return scale;
  for (const char* key : kScaleKeys)
    if (content.contains(key)) scale[key] = content[key];
  if (!member(content, "do_normalize", true, path))
    scale = {{"image_mean", NumberList(num_channels, 0.0)}, {"image_std", NumberList(num_channels, 1.0)}};
  double factor = member(content, "rescale_factor", 1.0 / 255, path);
  if (!member(content, "do_rescale", true, path)) factor = 1;
  if (!(factor > 0) || !std::isfinite(factor))
    throw DataError(concat(path, ": rescale_factor is ", factor, "; wanted: a number above 0"));
  if (std::abs(255 * factor - 1) < kAsUsual) return scale;
  if (scale.empty())
    log::warn_once(concat(path,
                          ": do_rescale or rescale_factor is told without image_mean and image_std, and is not "
                          "obeyed; data.mean and data.std say the scale of pixels"));
  for (nlohmann::json& of_channels : scale)
    for (nlohmann::json& value : of_channels)
      if (value.is_number()) value = value.get<double>() / (255 * factor);
  return scale;
}

void settle_interpolation(const nlohmann::json& content, const std::string& path, DataConfig& into) {
  if (into.interpolation != "auto" || !content.is_object() || !content.contains("resample")) return;
  const nlohmann::json& resample = content["resample"];
  if (resample == kBicubic) into.interpolation = "bicubic";
  if (resample != kBicubic && resample != kBilinear && into.image_size > 0)
    throw ConfigError(concat(path, ": \"resample\" is ", in_quotes(resample.dump()), ", and images are resized with 2 ",
                             "(bilinear) or 3 (bicubic); set data.interpolation to one of them"));
}

}  // namespace sft
