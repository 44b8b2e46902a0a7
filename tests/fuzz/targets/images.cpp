#include "data/images/image.h"
#include "fuzz/input.h"

SFT_FUZZ(input) {
  using namespace sft;
  fuzz::allow_errors([&] { decode_image(std::string(input), "image"); });
}
