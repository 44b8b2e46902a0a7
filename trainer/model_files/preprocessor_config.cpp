#include "trainer/model_files/preprocessor_config.h"

#include <nlohmann/json.hpp>

#include "base/json_member.h"

namespace sft {
namespace {

constexpr char kImageSize[] = "sft_dist_image_size", kImageCrop[] = "sft_dist_crop";

}  // namespace

nlohmann::json preprocessor_config(const nlohmann::json& model, const DataConfig& data) {
  const bool covers = data.crop != "none";
  const int64_t size = data.image_size;
  nlohmann::json out = {{"image_processor_type", covers ? "CLIPImageProcessor" : "ViTImageProcessor"},
                        {"do_resize", size > 0},
                        {"do_rescale", true},
                        {"rescale_factor", 1.0 / 255},
                        {"do_normalize", true},
                        {"image_mean", model.at("image_mean")},
                        {"image_std", model.at("image_std")},
                        {"resample", 2},
                        {kImageSize, size},
                        {kImageCrop, covers ? "center" : "none"}};
  if (size > 0 && !covers) out["size"] = {{"height", size}, {"width", size}};
  if (size > 0 && covers) {
    out["size"] = {{"shortest_edge", size}};
    out["crop_size"] = {{"height", size}, {"width", size}};
  }
  out["do_center_crop"] = size > 0 && covers;
  return out;
}

void read_image_settings(const nlohmann::json& content, DataConfig& into) {
  if (!content.is_object() || !content.contains(kImageSize)) return;
  into.image_size = member(content, kImageSize, int64_t{0}, "preprocessor_config.json");
  into.crop = member(content, kImageCrop, std::string("none"), "preprocessor_config.json");
}

}  // namespace sft
