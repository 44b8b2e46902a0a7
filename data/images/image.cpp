#include "data/images/image.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "data/images/formats.h"
#include "data/images/orientation.h"

namespace sft {

bool is_image_file(const std::string& path) {
  std::string end = path.substr(std::min(path.rfind('.'), path.size()));
  for (char& c : end) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return end == ".jpg" || end == ".jpeg" || end == ".png" || end == ".bmp" || end == ".webp";
}

Decoded decode_image(const std::string& bytes, const std::string& place) {
  Decoded out;
  std::string why;
  bool good = false;
  if (jpeg::starts(bytes)) {
    good = jpeg::decode(bytes, out, why);
  } else if (png::starts(bytes)) {
    good = png::decode(bytes, out, why);
  } else if (bmp::starts(bytes)) {
    good = bmp::decode(bytes, out, why);
  } else if (webp::starts(bytes)) {
    good = webp::decode(bytes, out, why);
  } else {
    why = bytes.empty() ? "is an empty file" : "is neither JPEG nor PNG, BMP or WebP";
  }
  if (!good) throw DataError(concat(place, ": ", why));
  out.image = upright(std::move(out.image), out.orientation);
  return out;
}

}  // namespace sft
