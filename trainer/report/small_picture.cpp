#include "trainer/report/small_picture.h"

#include <algorithm>

#include "base/text.h"
#include "data/images/mask.h"
#include "data/images/resize.h"
#include "trainer/report/data_uri.h"

namespace sft {
namespace {

Image made_small(const Image& image, int64_t most) {
  const int64_t longer = std::max(image.height, image.width);
  if (longer <= most) return image;
  return resized(image, std::max<int64_t>(image.height * most / longer, 1),
                 std::max<int64_t>(image.width * most / longer, 1));
}

}  // namespace

std::string small_picture(const Image& image, int64_t most) {
  return concat("<img alt=\"\" src=\"", data_uri("image/png", encode_image(made_small(image, most))), "\">");
}

}  // namespace sft
