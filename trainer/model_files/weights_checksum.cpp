#include "trainer/model_files/weights_checksum.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "trainer/checkpoint/manifest.h"

namespace sft {
namespace {

template <class Files>
std::string checksum(const Files& files) {
  std::vector<std::string> names = files.names();
  std::ranges::sort(names);
  uint32_t sum = 0;
  for (const std::string& name : names) {
    const TensorRef& tensor = *files.find(name);
    std::string about = concat(name, " ", tensor.dtype);
    for (const int64_t size : tensor.shape) about += concat(" ", size);
    sum = crc32c(about.data(), about.size(), sum);
    sum = crc32c(tensor.data, static_cast<size_t>(tensor.bytes), sum);
  }
  require_mapped_files_whole();
  return hex_of(sum);
}

}  // namespace

std::string checksum_of(const WeightFiles& weights) { return checksum(weights); }
std::string checksum_of(const AdapterFiles& adapter) { return checksum(adapter); }

}  // namespace sft
