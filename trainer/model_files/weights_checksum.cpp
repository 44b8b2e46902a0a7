#include "trainer/model_files/weights_checksum.h"

#include "base/crc32c.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/text.h"
#include "trainer/checkpoint/manifest.h"

namespace sft {
namespace {

template <class Files>
TensorChecksums checksums(const Files& files) {
  TensorChecksums all;
  for (const std::string& name : files.names()) {
    beat();
    const TensorRef& tensor = *files.find(name);
    std::string& about = all[name] = tensor.dtype;
    for (const int64_t size : tensor.shape) about += concat(" ", size);
    about += concat(", crc32c ", hex_of(crc32c(tensor.data, static_cast<size_t>(tensor.bytes))));
  }
  require_mapped_files_whole();
  return all;
}

}  // namespace

TensorChecksums checksums_of(const WeightFiles& weights) { return checksums(weights); }

std::string digest_of(const TensorChecksums& tensors) {
  uint32_t sum = 0;
  for (const auto& [name, about] : tensors) {
    const std::string line = concat(name, " ", about, "\n");
    sum = crc32c(line.data(), line.size(), sum);
  }
  return hex_of(sum);
}

std::string checksum_of(const WeightFiles& weights) { return digest_of(checksums(weights)); }
std::string checksum_of(const AdapterFiles& adapter) { return digest_of(checksums(adapter)); }

}  // namespace sft
