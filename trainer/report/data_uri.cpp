#include "trainer/report/data_uri.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace sft {

std::string data_uri(std::string_view media_type, std::string_view bytes) {
  constexpr std::string_view kSigns = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = concat("data:", media_type, ";base64,");
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += k <= three.size() ? kSigns[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace sft
