// A binary floating point number is NaN or infinite where all bits of its exponent are set (IEEE 754-2019, 3.4), so
// integers decide, and the compiler makes vectors of the inner loop.
#include "trainer/checkpoint/finite.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/text.h"

namespace sft {
namespace {

constexpr int64_t kNone = -1;

// `data` need not be aligned: files of other writers are not.
template <class Bits>
bool is_special(const std::byte* data, int64_t element, Bits exponent) {
  Bits bits;
  std::memcpy(&bits, data + element * static_cast<int64_t>(sizeof bits), sizeof bits);
  return (bits & exponent) == exponent;
}

constexpr int64_t kBlock = 4096;  // elements: a constant, without which no vectors are made of the loop

template <class Bits>
bool has_special(const std::byte* block, Bits exponent) {
  Bits found = 0;
  for (int64_t i = 0; i < kBlock; ++i) found |= static_cast<Bits>(is_special(block, i, exponent));
  return found != 0;
}

template <class Bits>
int64_t first_special(const void* data, int64_t count, Bits exponent) {
  const auto* bytes = static_cast<const std::byte*>(data);
  int64_t begin = 0;
  while (begin + kBlock <= count && !has_special(bytes + begin * static_cast<int64_t>(sizeof(Bits)), exponent))
    begin += kBlock;
  for (int64_t i = begin; i < count; ++i)
    if (is_special(bytes, i, exponent)) return i;
  return kNone;
}

template <class Bits>
std::string describe(const TensorRef& tensor, Bits exponent, Bits fraction) {
  const auto count = tensor.bytes / static_cast<int64_t>(sizeof(Bits));
  const int64_t place = first_special(tensor.data, count, exponent);
  if (place == kNone) return "";
  Bits bits;
  std::memcpy(&bits, static_cast<const std::byte*>(tensor.data) + place * static_cast<int64_t>(sizeof bits),
              sizeof bits);
  return concat("tensor ", in_quotes(tensor.name), ", element ", place, ", is ",
                (bits & fraction) == 0 ? "infinite" : "NaN");
}

}  // namespace

std::string not_finite_in(const TensorRef& tensor) {
  if (tensor.dtype == "F64") return describe<uint64_t>(tensor, 0x7FF0'0000'0000'0000, 0x000F'FFFF'FFFF'FFFF);
  if (tensor.dtype == "F32") return describe<uint32_t>(tensor, 0x7F80'0000, 0x007F'FFFF);
  if (tensor.dtype == "F16") return describe<uint16_t>(tensor, 0x7C00, 0x03FF);
  if (tensor.dtype == "BF16") return describe<uint16_t>(tensor, 0x7F80, 0x007F);
  return "";
}

}  // namespace sft
