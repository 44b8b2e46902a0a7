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

// Polynomials over GF(2) modulo kPolynomial, the highest bit the coefficient of x⁰.
constexpr uint32_t kOne = uint32_t{1} << 31;

constexpr uint32_t product_of(uint32_t a, uint32_t b) {
  uint32_t sum = 0;
  for (; a != 0; a <<= 1) {
    if (a & kOne) sum ^= b;
    b = b >> 1 ^ (b & 1 ? kPolynomial : 0);
  }
  return sum;
}

// x to the power of n.
uint32_t power_of_x(uint64_t n) {
  uint32_t result = kOne;
  for (uint32_t square = kOne >> 1; n != 0; n >>= 1, square = product_of(square, square))
    if (n & 1) result = product_of(result, square);
  return result;
}

}  // namespace

// What follows multiplies the remainder of what was there by x for each of its bits (Adler, zlib's crc32_combine).
uint32_t crc32c_of_both(uint32_t first, uint32_t second, int64_t second_bytes) {
  return product_of(power_of_x(8 * static_cast<uint64_t>(second_bytes)), first) ^ second;
}

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
