#include "trainer/tasks/object_detection/rows/checked_boxes.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"

namespace sft {
namespace {

constexpr double kRounding = 1.0;  // pixels

struct Size {
  double height, width;
};

std::string size_text(int64_t height, int64_t width) { return concat(height, " × ", width); }

// Tools often look at a picture as its file keeps it, and a picture stands upright.
void require_size(const RawBoxes& raw, const Row& row, const Decoded& picture) {
  const auto& [height, width, pixels] = picture.image;
  if (raw.height == 0 || (raw.height == height && raw.width == width)) return;
  const bool is_turned = picture.orientation > 4 && raw.height == width && raw.width == height;
  throw BadRow(concat(row.place(), ": is ", size_text(height, width), ", and its boxes are told of a picture of ",
                      size_text(raw.height, raw.width),
                      is_turned ? concat(": the picture is turned, as its Exif orientation ", picture.orientation,
                                         " says; turn the boxes likewise, or save the picture without it")
                                : "; resize the boxes likewise, or take the picture that they were drawn on"));
}

std::string corners_text(const std::array<double, 4>& corners) {
  return concat("[", corners[0], ", ", corners[1], ", ", corners[2], ", ", corners[3], "]");
}

// "have no area", "reach beyond their images", or nothing.
std::optional<std::string> fault_of(const std::array<double, 4>& corners, const Size& picture) {
  const auto& [left, top, right, bottom] = corners;
  if (right <= left || bottom <= top) return "have no area";
  if (left < -kRounding || top < -kRounding || right > picture.width + kRounding || bottom > picture.height + kRounding)
    return "reach beyond their images";
  return {};
}

std::array<double, 4> clipped(std::array<double, 4> corners, const Size& picture) {
  for (size_t c = 0; c < 4; ++c) corners[c] = std::clamp(corners[c], 0.0, c % 2 == 0 ? picture.width : picture.height);
  return corners;
}

[[noreturn]] void refuse(const RawBox& box, const std::string& fault, const std::array<double, 4>& corners,
                         const Image& picture) {
  throw BadRow(concat(
      box.place, ": its corners ", corners_text(corners), " ", fault, ", ", size_text(picture.height, picture.width),
      "; mend the box, or set data.on_bad_box to \"clip\", which cuts boxes off at the border and leaves "
      "out those without area, or to \"drop\""));
}

}  // namespace

CheckedBoxes checked_boxes(const Row& row, const Decoded& picture, const LabelIds& classes, OnBadBox on_bad_box,
                           const TellBox& tell) {
  const RawBoxes raw = row.picture->boxes();
  require_size(raw, row, picture);
  const Size size{static_cast<double>(picture.image.height), static_cast<double>(picture.image.width)};
  CheckedBoxes checked;
  for (const RawBox& box : raw.boxes) {
    const int64_t label = classes({box.label, box.is_index});
    if (label < 0)
      throw BadRow(concat(box.place, ": its class ", in_quotes(box.label), " ", not_among(box.label, classes.names())));
    std::array<double, 4> corners = box.corners;
    for (size_t c = 0; raw.are_shares && c < 4; ++c) corners[c] *= c % 2 == 0 ? size.width : size.height;
    if (!std::ranges::all_of(corners, [](double value) { return std::isfinite(value); }))
      throw BadRow(concat(box.place, ": its corners ", corners_text(corners), " are no finite numbers"));
    std::optional<std::string> fault = fault_of(corners, size);
    if (fault && on_bad_box == OnBadBox::refuse) refuse(box, *fault, corners, picture.image);
    corners = clipped(corners, size);
    const double area = (corners[2] - corners[0]) * (corners[3] - corners[1]);
    if (!fault && !(area > 0)) fault = "have no area";
    if (fault && (on_bad_box == OnBadBox::drop || !(area > 0))) {
      tell(concat("boxes ", *fault, " and are left out"), box.place);
      continue;
    }
    if (box.is_outlined) tell("boxes are those around outlines", box.place);
    if (fault) tell("boxes reach beyond their images and are cut off at the border", box.place);
    for (const double corner : corners) checked.boxes.push_back(static_cast<float>(corner));
    checked.labels.push_back(static_cast<int32_t>(label));
    checked.flags.push_back(static_cast<uint8_t>((box.is_crowd ? kCrowd : 0) | (box.is_difficult ? kDifficult : 0) |
                                                 size_flags(box.area >= 0 ? box.area : area)));
  }
  return checked;
}

}  // namespace sft
