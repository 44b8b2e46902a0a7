#include "trainer/tasks/semantic_segmentation/predicted_mask.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "data/images/resize.h"
#include "trainer/tasks/semantic_segmentation/rows/mask_rows.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// Writes what png_of() gives for each prediction, under a name of its own.
void for_each_prediction(const std::string& predictions, const std::string& directory, FileOps& files,
                         const std::function<std::string(const PredictedMask&)>& png_of) {
  files.make_directory(directory);
  std::set<std::string> taken;
  std::ifstream rows(predictions, std::ios::binary);
  int64_t number = 0;
  for (std::string line; std::getline(rows, line); ++number) {
    const PredictedMask predicted = predicted_mask(line);
    std::string name = is_image_file(predicted.image) ? fs::path(predicted.image).stem().string() : "image";
    const std::string stem = name;
    if (name == "image") name += concat("-", number + 1);
    for (int64_t next = number + 1; !taken.insert(name).second; ++next) name = concat(stem, "-", next);
    write_atomically(files, concat(directory, "/", name, ".png"), png_of(predicted));
  }
}

Image overlay_of(const PredictedMask& predicted) {
  if (!is_image_file(predicted.image) || !fs::is_regular_file(predicted.image))
    throw ConfigError(concat("--overlays: ", in_quotes(predicted.image, 400),
                             " is no file of a picture to lay a mask over; predict from files of pictures"));
  const Mask& mask = predicted.mask;
  Image image = decode_image(read_file(predicted.image), predicted.image).image;
  if (image.height != mask.height || image.width != mask.width) image = covering(image, mask.height);
  for (size_t p = 0; p < mask.classes.size(); ++p) {
    const auto colour = class_colour(mask.classes[p]);
    for (size_t c = 0; c < 3; ++c)
      image.pixels[3 * p + c] = static_cast<uint8_t>((int{image.pixels[3 * p + c]} + colour[c] + 1) / 2);
  }
  return image;
}

}  // namespace

std::string to_json(const PredictedMask& predicted, const StringList& names) {
  const Mask& mask = predicted.mask;
  const auto pixels = pixels_by_class(mask);
  std::vector<size_t> order;
  for (size_t id = 0; id < names.size(); ++id)
    if (pixels[id] > 0) order.push_back(id);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return pixels[a] > pixels[b]; });
  ordered_json shares = ordered_json::object(), runs = ordered_json::array(), row = ordered_json::object();
  for (const size_t id : order)
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

void write_masks(const std::string& predictions, const std::string& directory, FileOps& files) {
  for_each_prediction(predictions, directory, files,
                      [](const PredictedMask& predicted) { return encode_mask(predicted.mask); });
}

void write_overlays(const std::string& predictions, const std::string& directory, FileOps& files) {
  for_each_prediction(predictions, directory, files,
                      [](const PredictedMask& predicted) { return encode_image(overlay_of(predicted)); });
}

}  // namespace sft
