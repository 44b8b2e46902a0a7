// A picture inside a page, made small.
#pragma once

#include <cstdint>
#include <string>

#include "data/images/image.h"

namespace sft {

// "<img …>" of at most `most` pixels along its longer side.
std::string small_picture(const Image& image, int64_t most);

}  // namespace sft
