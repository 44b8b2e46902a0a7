// CRC-32C (Castagnoli, RFC 3720), with the CPU's instruction where there is one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sft {

// Extends `crc` (0 at the start) by `size` bytes.
uint32_t crc32c(const void* data, size_t size, uint32_t crc = 0);

// Of two runs of bytes one behind the other, from the checksum of each and the length of the second.
uint32_t crc32c_of_both(uint32_t first, uint32_t second, int64_t second_bytes);

// crc32c() by table, on any processor.
uint32_t crc32c_by_table(const void* data, size_t size, uint32_t crc = 0);

// The same by the processor's instruction; only where there is one.
bool has_crc32c_instruction();
uint32_t crc32c_by_instruction(const void* data, size_t size, uint32_t crc = 0);

}  // namespace sft
