#include "comm/mpi/leaders.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "comm/combine.h"
#include "comm/mpi/library/library.h"
#include "comm/mpi/session.h"

namespace sft::mpi {
namespace {

SftType type_of(Element element) {
  switch (element) {
    case Element::u8:
      return SFT_U8;
    case Element::i32:
      return SFT_I32;
    case Element::i64:
      return SFT_I64;
    case Element::f32:
      return SFT_F32;
    case Element::f64:
      return SFT_F64;
    case Element::f16:
    case Element::bf16:
      break;
  }
  throw std::logic_error("f16 and bf16 are widened before");
}

// MPI's own minimum and maximum may lose a NaN; combine() does not.
SftOperation operation_of(Reduction how, Element element) {
  if (how == Reduction::sum) return SFT_SUM;
  const bool may_be_nan = element == Element::f32 || element == Element::f64;
  if (how == Reduction::min) return may_be_nan ? SFT_COMBINED_MIN : SFT_MIN;
  return may_be_nan ? SFT_COMBINED_MAX : SFT_MAX;
}

}  // namespace

void combine_two(const void* in, void* inout, int count, SftType type, SftOperation operation) {
  constexpr int64_t kRun = 1024;
  const Element element = type == SFT_F64 ? Element::f64 : Element::f32;
  const Reduction how = operation == SFT_COMBINED_MIN ? Reduction::min : Reduction::max;
  alignas(64) std::array<std::byte, kRun * sizeof(double)> result;
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const int64_t run = std::min(kRun, count - begin);
    const size_t offset = static_cast<size_t>(begin) * bytes_of(element);
    const std::byte* const theirs = static_cast<const std::byte*>(in) + offset;
    std::byte* const own = static_cast<std::byte*>(inout) + offset;
    combine(how, element, std::array<const std::byte*, 2>{theirs, own}, result.data(), run);
    std::memcpy(own, result.data(), static_cast<size_t>(run) * bytes_of(element));
  }
}

void all_reduce_leaders(SftComm leaders, std::byte* values, int64_t count, Element element, Reduction how) {
  check(library().all_reduce(leaders, values, static_cast<int>(count), type_of(element), operation_of(how, element)),
        "all_reduce: MPI_Allreduce");
}

}  // namespace sft::mpi
