// CRC-32C (Castagnoli, RFC 3720), with the CPU's instruction where there is one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sft {

// Extends `crc` (0 at the start) by `size` bytes.
uint32_t crc32c(const void* data, size_t size, uint32_t crc = 0);

}  // namespace sft
