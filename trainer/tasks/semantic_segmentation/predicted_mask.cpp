#include "trainer/tasks/semantic_segmentation/predicted_mask.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/images/resize.h"
#include "trainer/tasks/semantic_segmentation/rows/mask_rows.h"

namespace sft {
namespace {

using nlohmann::ordered_json;

Image overlay_of(const PredictedMask& predicted) {
  const Mask& mask = predicted.mask;
  Image image = predicted_picture(predicted.image, "--overlays");
  if (image.height != mask.height || image.width != mask.width) image = covering(image, mask.height);
  for (size_t p = 0; p < mask.classes.size(); ++p) {
    const auto colour = class_colour(mask.classes[p]);
    for (size_t c = 0; c < 3; ++c)
      image.pixels[3 * p + c] = static_cast<uint8_t>((int{image.pixels[3 * p + c]} + colour[c] + 1) / 2);
  }
  return image;
}

// Classes by their pixels, the most first, then by number.
std::vector<size_t> classes_of(const Mask& mask) {
  const auto pixels = pixels_by_class(mask);
  std::vector<size_t> order;
  for (size_t id = 0; id < pixels.size(); ++id)
    if (pixels[id] > 0) order.push_back(id);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t id) { return pixels[id]; });
  return order;
}

}  // namespace

std::string to_json(const PredictedMask& predicted, const StringList& names) {
  const Mask& mask = predicted.mask;
  const auto pixels = pixels_by_class(mask);
  ordered_json shares = ordered_json::object(), runs = ordered_json::array(), row = ordered_json::object();
  for (const size_t id : classes_of(mask))
    shares[names[id]] = static_cast<double>(pixels[id]) / static_cast<double>(mask.classes.size());
  for (size_t first = 0, end = 0; first < mask.classes.size(); first = end) {
    while (end < mask.classes.size() && mask.classes[end] == mask.classes[first]) ++end;
    runs.push_back(mask.classes[first]);
    runs.push_back(end - first);
  }
  if (!predicted.image.empty()) row["image"] = predicted.image;
  row["height"] = mask.height;
  row["width"] = mask.width;
  row["labels"] = std::move(shares);
  row["runs"] = std::move(runs);
  return row.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

PredictedMask predicted_mask(const std::string& json) {
  const ordered_json row = ordered_json::parse(json);
  PredictedMask predicted{row.value("image", std::string()), {row.at("height"), row.at("width"), {}, {}}};
  const ordered_json& runs = row.at("runs");
  for (size_t i = 0; i + 1 < runs.size(); i += 2)
    predicted.mask.classes.insert(predicted.mask.classes.end(), runs[i + 1].get<size_t>(), runs[i].get<uint8_t>());
  return predicted;
}

DrawPrediction draw_overlays() {
  return [](const std::string& line) {
    const PredictedMask predicted = predicted_mask(line);
    DrawnPrediction drawn{predicted.image, overlay_of(predicted)};
    const std::vector<size_t> classes = classes_of(predicted.mask);
    const ordered_json row = ordered_json::parse(line);
    size_t place = 0;  // names stand in the order of the classes
    for (const auto& [name, share] : row.at("labels").items())
      if (place < classes.size()) drawn.legend.emplace_back(name, class_colour(static_cast<uint8_t>(classes[place++])));
    return drawn;
  };
}

void write_masks(const std::string& predictions, const std::string& directory, FileOps& files) {
  write_pictures(predictions, directory, files, [](const std::string& line) {
    const PredictedMask predicted = predicted_mask(line);
    return PictureFile{predicted.image, encode_mask(predicted.mask)};
  });
}

void write_overlays(const std::string& predictions, const std::string& directory, FileOps& files) {
  write_drawn(predictions, directory, files, draw_overlays());
}

}  // namespace sft
