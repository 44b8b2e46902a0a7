// Weights by their content: a path is no proof of what stands at it.
#pragma once

#include <map>
#include <string>

#include "trainer/model_files/adapter_files.h"

namespace sft {

// Dtype, shape and checksum of each tensor, by its name: "F32 384 384, crc32c 1a2b3c4d". Reads all of them.
using TensorChecksums = std::map<std::string, std::string>;
TensorChecksums checksums_of(const WeightFiles& weights);

// Eight hexadecimal digits over all of these, so that it does not matter in how many files the tensors stand.
std::string digest_of(const TensorChecksums& tensors);
std::string checksum_of(const WeightFiles& weights);
std::string checksum_of(const AdapterFiles& adapter);

}  // namespace sft
