// Processors for which no instruction is used.
#include "base/crc32c.h"

namespace sft {

bool has_crc32c_instruction() { return false; }

uint32_t crc32c_by_instruction(const void* data, size_t size, uint32_t crc) { return crc32c_by_table(data, size, crc); }

}  // namespace sft
