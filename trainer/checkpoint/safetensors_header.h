// The JSON header of a safetensors file, read with distrust.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/checkpoint/tensor_ref.h"

namespace sft {

struct SafetensorsHeader {
  std::vector<TensorRef> tensors;  // in the order of their data
  std::map<std::string, std::string> metadata;
};

// Reads the header `text` of the file `path`, whose `data_bytes` bytes of tensors start at `data`. DataError
// unless every tensor has a known dtype and the bytes its shape needs, and all of them, sorted, fill
// the data without gap or overlap.
SafetensorsHeader parse_safetensors_header(std::string_view text, void* data, int64_t data_bytes,
                                           const std::string& path);

}  // namespace sft
