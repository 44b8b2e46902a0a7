// A file of torch.save, or behind an 'x' its pickle alone, put into an archive that has two storages.
#include "trainer/checkpoint/torch_files/torch_file.h"

#include "fuzz/input.h"
#include "fuzz/targets/tensors.h"

namespace {

template <class... Numbers>
std::string numbers(Numbers... values) {
  std::string out;
  (out.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  return out;
}

// Of entries that are stored as they are.
std::string archive(const std::vector<std::pair<std::string, std::string>>& entries) {
  constexpr uint16_t kNone = 0;
  std::string out, table;
  for (const auto& [name, content] : entries) {
    const auto bytes = static_cast<uint32_t>(content.size()), offset = static_cast<uint32_t>(out.size());
    // Flags, method, time, date; checksum, two sizes; lengths of the name and of what is behind it.
    const std::string both =
        numbers(kNone, kNone, kNone, kNone, uint32_t{0}, bytes, bytes, static_cast<uint16_t>(name.size()), kNone);
    out += numbers(uint32_t{0x04034b50}, kNone) + both + name + content;
    table +=
        numbers(uint32_t{0x02014b50}, kNone, kNone) + both + numbers(kNone, kNone, kNone, uint32_t{0}, offset) + name;
  }
  const auto count = static_cast<uint16_t>(entries.size());
  const auto offset = static_cast<uint32_t>(out.size()), bytes = static_cast<uint32_t>(table.size());
  return out + table + numbers(uint32_t{0x06054b50}, kNone, kNone, count, count, bytes, offset, kNone);
}

}  // namespace

SFT_FUZZ(input) {
  using namespace sft;
  const bool is_pickle = input.starts_with('x');
  const std::string path =
      fuzz::folder().put("pytorch_model.bin", is_pickle ? archive({{"a/data.pkl", std::string(input.substr(1))},
                                                                   {"a/byteorder", "little"},
                                                                   {"a/data/0", std::string(32, 1)},
                                                                   {"a/data/1", std::string(16, 2)}})
                                                        : std::string(input));
  fuzz::allow_errors([&] { fuzz::read_tensors(TorchFile(path)); });
}
