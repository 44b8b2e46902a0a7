#include "trainer/models/blocks/dropout_key.h"

#include <string>

#include "base/random.h"

namespace sft {

DropoutKey dropout_key(uint64_t seed, std::string_view place, int64_t block) {
  const uint64_t key = derive_key(seed, "dropout/" + std::string(place), static_cast<uint64_t>(block));
  return {{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}};
}

}  // namespace sft
