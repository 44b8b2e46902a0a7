#include "base/crc32c.h"

#include <array>

namespace sft {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41, bits reversed

// Slicing by eight (Kounavis and Berry, 2005): kTable[k][b] is the effect of byte b, k bytes back.
constexpr auto kTable = [] {
  std::array<std::array<uint32_t, 256>, 8> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    table[0][byte] = crc;
  }
  for (size_t back = 1; back < 8; ++back)
    for (size_t byte = 0; byte < 256; ++byte)
      table[back][byte] = table[back - 1][byte] >> 8 ^ table[0][table[back - 1][byte] & 0xFF];
  return table;
}();

}  // namespace

uint32_t crc32c_by_table(const void* data, size_t size, uint32_t crc) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  crc = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    const uint32_t first =
        crc ^ (bytes[0] | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24);
    crc = kTable[7][first & 0xFF] ^ kTable[6][first >> 8 & 0xFF] ^ kTable[5][first >> 16 & 0xFF] ^
          kTable[4][first >> 24] ^ kTable[3][bytes[4]] ^ kTable[2][bytes[5]] ^ kTable[1][bytes[6]] ^
          kTable[0][bytes[7]];
  }
  for (; size > 0; --size, ++bytes) crc = crc >> 8 ^ kTable[0][(crc ^ *bytes) & 0xFF];
  return ~crc;
}

uint32_t crc32c(const void* data, size_t size, uint32_t crc) {
  static const bool by_instruction = has_crc32c_instruction();
  return by_instruction ? crc32c_by_instruction(data, size, crc) : crc32c_by_table(data, size, crc);
}

}  // namespace sft
