// A header with as many bytes behind it as it claims, or a whole file.
#include "trainer/checkpoint/safetensors.h"

#include <algorithm>

#include "fuzz/json_mutator.h"
#include "fuzz/targets/tensors.h"

namespace {

// As far as the tensors reach, by what the header says.
size_t bytes_behind(std::string_view header) {
  constexpr uint64_t kMost = 4096;
  const auto tree = nlohmann::json::parse(header, nullptr, /*allow_exceptions=*/false);
  uint64_t end = 0;
  if (!tree.is_object()) return 0;
  for (const auto& entry : tree)
    if (entry.is_object() && entry.contains("data_offsets") && entry["data_offsets"].is_array())
      for (const auto& offset : entry["data_offsets"])
        if (offset.is_number_unsigned()) end = std::max(end, std::min(offset.get<uint64_t>(), kMost));
  return end;
}

}  // namespace

SFT_FUZZ_JSON(input) {
  using namespace sft;
  std::string file(input);
  if (input.starts_with('{')) {
    const uint64_t length = input.size();
    file =
        std::string(reinterpret_cast<const char*>(&length), sizeof length) + file + std::string(bytes_behind(input), 7);
  }
  const std::string path = fuzz::folder().put("model.safetensors", file);
  fuzz::allow_errors([&] { fuzz::read_tensors(SafetensorsFile(path)); });
}
