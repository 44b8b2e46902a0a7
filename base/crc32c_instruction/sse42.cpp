// SSE 4.2 has CRC-32C as an instruction; the attribute confines it to this function, so the binary
// starts on processors without it.
#include <nmmintrin.h>

#include <cstring>

#include "base/crc32c.h"

namespace sft {

bool has_crc32c_instruction() { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2"))) uint32_t crc32c_by_instruction(const void* data, size_t size, uint32_t crc) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  uint64_t state = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
  auto rest = static_cast<uint32_t>(state);
  for (; size > 0; --size, ++bytes) rest = _mm_crc32_u8(rest, *bytes);
  return ~rest;
}

}  // namespace sft
