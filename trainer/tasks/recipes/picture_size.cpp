#include "trainer/tasks/recipes/picture_size.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace sft {
namespace {

constexpr char kHeight[] = "height", kWidth[] = "width";  // facts of a glance

}  // namespace

int64_t stored_side(const PrepareRequest& request, const DataConfig& config) {
  if (!request.is_drawn_from) return config.image_size;
  if (config.crop == "random_resized")
    return config.stored_size > 0 ? config.stored_size : (config.image_size * 8 + 3) / 7;
  return config.random_scale.empty() || config.stored_size == 0 ? config.image_size : config.stored_size;
}

PictureSize::PictureSize(const PrepareRequest& request, const DataConfig& config)
    : config_(config), side_(stored_side(request, config)), height_(side_), width_(side_) {}

void PictureSize::add_to(nlohmann::json& key) const {
  key["image_size"] = side_;
  key["covers"] = covers();
  if (covers()) key["middle"] = "rounded down";  // earlier builds rounded it to even
  if (interpolation_of(config_) != Interpolation::bilinear) key["interpolation"] = config_.interpolation;
}

bool PictureSize::glance(const Row& row, Census& into) const {
  if (into.knows(kHeight)) return true;
  const Image image = row.picture->decoded().image;
  into.tell(kHeight, std::to_string(image.height));
  into.tell(kWidth, std::to_string(image.width));
  return true;
}

void PictureSize::expect(const Census& told) {
  if (!told.knows(kHeight)) return;  // no good image
  height_ = std::stoll(told.told(kHeight));
  width_ = std::stoll(told.told(kWidth));
}

Image PictureSize::fitted(Image image, const Row& row) const {
  if (side_ == 0 && (image.height != height_ || image.width != width_))
    throw BadRow(concat(row.place(), ": is ", image.height, " × ", image.width, ", and the first image is ", height_,
                        " × ", width_, "; set data.image_size to bring all to one size"));
  if (side_ == 0) return image;
  const Interpolation how = interpolation_of(config_);
  return covers() ? covering(image, side_, how) : resized(image, side_, side_, how);
}

Mask PictureSize::fitted(Mask mask) const {
  if (side_ == 0) return mask;
  return covers() ? covering(mask, side_) : resized(mask, side_, side_);
}

}  // namespace sft
