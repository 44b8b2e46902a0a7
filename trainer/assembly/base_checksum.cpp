#include "trainer/assembly/base_checksum.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/crc32c.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/samples/peers.h"
#include "trainer/checkpoint/manifest.h"

namespace sft {
namespace {

struct HashedPart {
  uint32_t crc = 0;
  int64_t bytes = 0;
};

// Extends `part` by elements [first, end) of the tensor, some at a time.
void extend(HashedPart& part, const at::Tensor& tensor, int64_t first, int64_t end, at::ScalarType type) {
  constexpr int64_t kBlock = int64_t{1} << 20;
  const at::Tensor flat = tensor.contiguous().view(-1);
  for (; first < end; first += kBlock) {
    const at::Tensor block = flat.narrow(0, first, std::min(kBlock, end - first)).cpu().to(type);
    part.crc = crc32c(block.const_data_ptr(), block.nbytes(), part.crc);
    part.bytes += static_cast<int64_t>(block.nbytes());
  }
}

// Of elements [first, end), counted over all parameters.
HashedPart part_of(const Parameters& parameters, int64_t first, int64_t end, at::ScalarType type) {
  HashedPart part;
  int64_t begin = 0;
  for (const Parameter& parameter : parameters) {
    const int64_t size = parameter.value.numel(), from = std::max(first - begin, int64_t{0}),
                  to = std::min(end - begin, size);
    if (from < to) extend(part, parameter.in_files(), from, to, type);
    begin += size;
  }
  return part;
}

}  // namespace

std::string base_checksum(const Parameters& parameters, at::ScalarType type, Communicator& control) {
  HashedPart mine;
  together(control, [&] {
    int64_t total = 0;
    for (const Parameter& parameter : parameters) total += parameter.value.numel();
    const auto [first, end] = range_of(total, {control.rank(), control.size()});
    mine = part_of(parameters, first, end, type);
    require_mapped_files_whole();
  });
  uint32_t whole = 0;
  for (const std::string& text : gather_all(control, nlohmann::json{mine.crc, mine.bytes}.dump())) {
    const auto part = nlohmann::json::parse(text);
    whole = crc32c_of_both(whole, part[0].get<uint32_t>(), part[1].get<int64_t>());
  }
  return hex_of(whole);
}

}  // namespace sft
