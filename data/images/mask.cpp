#include "data/images/mask.h"

#include <algorithm>
#include <map>

#include "base/errors.h"
#include "base/text.h"
#include "data/images/formats.h"

namespace sft {
namespace {

constexpr size_t kMostColours = 6;  // that a message names

// "3 colours: (0, 0, 0), (128, 0, 0), (0, 128, 0)", the most frequent first.
std::string colours_of(const Image& image) {
  std::map<std::array<uint8_t, 3>, int64_t> counts;
  for (size_t p = 0; p + 2 < image.pixels.size(); p += 3)
    ++counts[{image.pixels[p], image.pixels[p + 1], image.pixels[p + 2]}];
  std::vector<std::pair<std::array<uint8_t, 3>, int64_t>> found(counts.begin(), counts.end());
  std::ranges::stable_sort(found, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> names;
  for (const auto& [colour, count] : found) {
    if (names.size() == kMostColours) break;
    names.push_back(concat("(", int{colour[0]}, ", ", int{colour[1]}, ", ", int{colour[2]}, ")"));
  }
  return concat(found.size(), " colours: ", join(names, ", "), found.size() > kMostColours ? ", …" : "");
}

}  // namespace

Mask decode_mask(const std::string& bytes, const std::string& place) {
  const auto refuse = [&](const std::string& why) { throw DataError(concat(place, ": ", why)); };
  if (!png::starts(bytes))
    refuse(concat(bytes.empty() ? "is an empty file" : "is no PNG",
                  "; a mask is a PNG, whose pixels stay as they are (a JPEG smears classes)"));
  if (png::is_of_colours(bytes)) {
    Decoded decoded;
    std::string why;
    if (!png::decode(bytes, decoded, why)) refuse(why);
    refuse(concat("is of RGB, with ", colours_of(decoded.image),
                  "; a mask holds the number of a class a pixel: save it with a palette (PIL's mode P) or as grey "
                  "(mode L), where colour i of the list of classes is the value i"));
  }
  Mask mask;
  mask.place = place;
  std::string why;
  if (!png::decode_numbers(bytes, mask.height, mask.width, mask.classes, why)) refuse(why);
  return mask;
}

std::string encode_mask(const Mask& mask) {
  std::vector<std::array<uint8_t, 3>> palette;
  for (int number = 0; number < 256; ++number) palette.push_back(class_colour(static_cast<uint8_t>(number)));
  return png::encode(mask.classes.data(), mask.height, mask.width, palette);
}

std::string encode_image(const Image& image) { return png::encode(image.pixels.data(), image.height, image.width, {}); }

std::array<uint8_t, 3> class_colour(uint8_t number) {
  std::array<uint8_t, 3> colour{};
  for (int bit = 7; number != 0; number >>= 3, --bit)
    for (size_t c = 0; c < 3; ++c) colour[c] = static_cast<uint8_t>(colour[c] | ((number >> c & 1) << bit));
  return colour;
}

}  // namespace sft
