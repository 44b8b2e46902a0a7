#include "trainer/parallel/gradient_sync.h"

#include <ATen/core/Tensor.h>

#include <cassert>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

Element element_of(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return Element::u8;
    case at::kInt:
      return Element::i32;
    case at::kLong:
      return Element::i64;
    case at::kHalf:
      return Element::f16;
    case at::kBFloat16:
      return Element::bf16;
    case at::kFloat:
      return Element::f32;
    case at::kDouble:
      return Element::f64;
    default:
      throw CommError(concat("a tensor of ", at::toString(type), " cannot travel between ranks"));
  }
}

}  // namespace

void GradientSync::begin(int64_t) {}
void GradientSync::pass() {}
std::unique_ptr<GradientSync::Whole> GradientSync::whole() { return std::make_unique<Whole>(); }

std::unique_ptr<GradientSync> make_gradient_sync(const ParallelConfig& config, Arena& arena, Communicator& world,
                                                 Communicator& control, const SyncSettings& settings) {
  const auto& [bucket_bytes, leave, parts, reads] = settings;
  if (config.strategy == "zero1") return make_zero1(arena, world, bucket_bytes, leave, parts);
  if (config.strategy == "replicated") return make_replicated(arena, world, bucket_bytes, leave, parts);
  assert(parts == 1 && "sums of parts are a tree of whole gradients");
  if (config.strategy == "zero3") return make_zero3(arena, world, control, bucket_bytes, leave, reads);
  if (config.strategy != "zero2")
    throw ConfigError(
        concat("parallel.strategy: wanted replicated, zero1, zero2 or zero3, found ", in_quotes(config.strategy)));
  return make_zero2(arena, world, control, bucket_bytes, leave);
}

Buffer buffer_of(const at::Tensor& tensor) {
  assert(tensor.is_contiguous());
  return {tensor.mutable_data_ptr(), tensor.numel(), element_of(tensor.scalar_type())};
}

void require_every_gradient(GradientSync& gradients) {
  constexpr size_t kNamed = 5;
  auto names = gradients.unreached();
  if (names.empty()) return;
  const size_t num_unreached = names.size();
  std::string more;
  if (num_unreached > kNamed) {
    more = concat(" and ", num_unreached - kNamed, " more");
    names.resize(kNamed);
  }
  for (std::string& name : names) name = in_quotes(name);
  throw ConfigError(concat("no gradient reached ", join(names, ", "), more, " in a whole global batch, though ",
                           num_unreached == 1 ? "it is" : "they are",
                           " to be trained: freeze what the loss does not depend on"));
}

}  // namespace sft
