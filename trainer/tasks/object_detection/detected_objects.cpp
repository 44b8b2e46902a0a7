#include "trainer/tasks/object_detection/detected_objects.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "data/images/drawing.h"
#include "data/images/mask.h"
#include "trainer/tasks/blocks/picture_files.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"

namespace sft {
namespace {

using nlohmann::ordered_json;

// Each class has a colour of VOC's palette, in the order in which the classes come first; not 0, which is black.
class Colours {
 public:
  Colour of(const std::string& label) {
    const auto [found, is_new] = places_.try_emplace(label, places_.size() + 1);
    return class_colour(static_cast<uint8_t>((found->second - 1) % 254 + 1));
  }

 private:
  std::map<std::string, size_t> places_;
};

}  // namespace

std::vector<TrueObject> true_objects(const Batch& batch, size_t b) {
  const auto boxes = batch.at(kBoxes).as<float>();
  const auto labels = batch.at(kBoxLabels).as<int32_t>();
  const auto flags = batch.at(kBoxFlags).as<uint8_t>();
  const Offsets& offsets = batch.offsets(kBoxAxis);
  std::vector<TrueObject> objects;
  for (auto i = static_cast<size_t>(offsets[b]); i < static_cast<size_t>(offsets[b + 1]); ++i) {
    const float* box = boxes.data() + 4 * i;
    objects.push_back({.box = {box[0], box[1], double{box[2]} - box[0], double{box[3]} - box[1]},
                       .label = labels[i],
                       .is_crowd = (flags[i] & kCrowd) != 0,
                       .is_ignored = (flags[i] & kDifficult) != 0,
                       .is_small = (flags[i] & kSmall) != 0,
                       .is_medium = (flags[i] & kMedium) != 0,
                       .is_large = (flags[i] & kLarge) != 0});
  }
  return objects;
}

std::string to_json(const DetectedPicture& predicted, const StringList& names) {
  std::vector<DetectedObject> objects = predicted.objects;
  std::ranges::stable_sort(objects, std::ranges::greater(), &DetectedObject::score);
  ordered_json row = ordered_json::object(), found = ordered_json::array();
  for (const auto& [box, label, score] : objects)
    found.push_back({{"label", names[static_cast<size_t>(label)]},
                     {"score", score},
                     {"box", {box[0], box[1], box[0] + box[2], box[1] + box[3]}}});
  if (!predicted.image.empty()) row["image"] = predicted.image;
  row["height"] = predicted.height;
  row["width"] = predicted.width;
  row["objects"] = std::move(found);
  return row.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void write_drawn_boxes(const std::string& predictions, const std::string& directory, FileOps& files) {
  Colours colours;
  write_pictures(predictions, directory, files, [&colours](const std::string& line) {
    const ordered_json row = ordered_json::parse(line);
    const std::string file = row.value("image", std::string());
    Image image = predicted_picture(file, "--boxes");
    const int64_t width = std::max<int64_t>(std::max(image.height, image.width) / 250, 1);
    const ordered_json& objects = row.at("objects");
    for (auto object = objects.rbegin(); object != objects.rend(); ++object)  // the best ones on top
      draw_outline(image, object->at("box").get<std::array<double, 4>>(), width,
                   colours.of(object->at("label").get<std::string>()));
    return PictureFile{file, encode_image(image)};
  });
}

}  // namespace sft
