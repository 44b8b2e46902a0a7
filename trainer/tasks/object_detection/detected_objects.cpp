#include "trainer/tasks/object_detection/detected_objects.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "data/images/drawing.h"
#include "data/images/mask.h"
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

// Left, top, right, bottom of left, top, width, height.
std::array<double, 4> corners_of(const std::array<double, 4>& box) {
  return {box[0], box[1], box[0] + box[2], box[1] + box[3]};
}

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
    found.push_back({{"label", names[static_cast<size_t>(label)]}, {"score", score}, {"box", corners_of(box)}});
  if (!predicted.image.empty()) row["image"] = predicted.image;
  row["height"] = predicted.height;
  row["width"] = predicted.width;
  row["objects"] = std::move(found);
  if (predicted.reference) {
    ordered_json& reference = row["reference"] = ordered_json::array();
    for (const TrueObject& object : *predicted.reference)
      reference.push_back({{"label", names[static_cast<size_t>(object.label)]}, {"box", corners_of(object.box)}});
  }
  return row.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

DrawPrediction draw_boxes() {
  return [colours = Colours()](const std::string& line) mutable {
    const ordered_json row = ordered_json::parse(line);
    DrawnPrediction drawn;
    drawn.image = row.value("image", std::string());
    drawn.picture = predicted_picture(drawn.image, "--boxes");
    const int64_t width = std::max<int64_t>(std::max(drawn.picture.height, drawn.picture.width) / 250, 1);
    const auto outline = [&drawn](const ordered_json& object, int64_t thick, const Colour& colour) {
      draw_outline(drawn.picture, object.at("box").get<std::array<double, 4>>(), thick, colour);
    };
    const ordered_json& objects = row.at("objects");
    for (auto object = objects.rbegin(); object != objects.rend(); ++object) {  // the best ones on top
      const auto label = object->at("label").get<std::string>();
      outline(*object, width + 1, colours.of(label));
      if (std::ranges::find(drawn.legend, label, &std::pair<std::string, Colour>::first) == drawn.legend.end())
        drawn.legend.emplace_back(label, colours.of(label));
    }
    if (row.contains("reference"))
      for (const ordered_json& object : row["reference"]) outline(object, width, {255, 255, 255});
    return drawn;
  };
}

void write_drawn_boxes(const std::string& predictions, const std::string& directory, FileOps& files) {
  write_drawn(predictions, directory, files, draw_boxes());
}

}  // namespace sft
