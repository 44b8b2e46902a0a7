#include "comm/communicator.h"

#include <array>

namespace sft {
namespace {

struct Kind {
  size_t bytes;
  std::string_view name;
};
constexpr std::array<Kind, 7> kKinds{
    {{1, "u8"}, {4, "i32"}, {8, "i64"}, {2, "f16"}, {2, "bf16"}, {4, "f32"}, {8, "f64"}}};
constexpr std::array<std::string_view, 3> kReductions{"sum", "min", "max"};

struct Done final : Work {
  void wait() override {}
};

}  // namespace

size_t bytes_of(Element element) { return kKinds[static_cast<size_t>(element)].bytes; }
std::string_view name_of(Element element) { return kKinds[static_cast<size_t>(element)].name; }
std::string_view name_of(Reduction how) { return kReductions[static_cast<size_t>(how)]; }

std::unique_ptr<Work> Communicator::start_all_reduce(Buffer values) {
  all_reduce(values);
  return std::make_unique<Done>();
}

std::unique_ptr<Work> Communicator::start_reduce_scatter(Buffer values, Buffer shard) {
  reduce_scatter(values, shard);
  return std::make_unique<Done>();
}

std::unique_ptr<Work> Communicator::start_all_gather(Buffer shard, Buffer values) {
  all_gather(shard, values);
  return std::make_unique<Done>();
}

}  // namespace sft
