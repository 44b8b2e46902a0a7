#include "comm/mpi/leaders.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "comm/combine.h"
#include "comm/mpi/session.h"

namespace sft::mpi {
namespace {

MPI_Datatype type_of(Element element) {
  switch (element) {
    case Element::u8:
      return MPI_UINT8_T;
    case Element::i32:
      return MPI_INT32_T;
    case Element::i64:
      return MPI_INT64_T;
    case Element::f32:
      return MPI_FLOAT;
    case Element::f64:
      return MPI_DOUBLE;
    case Element::f16:
    case Element::bf16:
      break;
  }
  assert(false && "f16 and bf16 are widened before");
  return MPI_DATATYPE_NULL;
}

// MPI_MIN and MPI_MAX may lose a NaN; combine() does not.
template <Reduction how>
void combine_two(void* in, void* inout, int* count, MPI_Datatype* type) {
  constexpr int64_t kRun = 1024;
  const Element element = *type == MPI_DOUBLE ? Element::f64 : Element::f32;
  alignas(64) std::array<std::byte, kRun * sizeof(double)> result;
  for (int64_t begin = 0; begin < *count; begin += kRun) {
    const int64_t run = std::min(kRun, *count - begin);
    const size_t offset = static_cast<size_t>(begin) * bytes_of(element);
    const std::byte* const theirs = static_cast<const std::byte*>(in) + offset;
    std::byte* const own = static_cast<std::byte*>(inout) + offset;
    combine(how, element, std::array<const std::byte*, 2>{theirs, own}, result.data(), run);
    std::memcpy(own, result.data(), static_cast<size_t>(run) * bytes_of(element));
  }
}

template <Reduction how>
MPI_Op own_operation() {
  static const MPI_Op made = [] {
    MPI_Op operation = MPI_OP_NULL;
    check(MPI_Op_create(combine_two<how>, 1, &operation), "MPI_Op_create");
    return operation;
  }();
  return made;
}

MPI_Op operation_of(Reduction how, Element element) {
  if (how == Reduction::sum) return MPI_SUM;
  const bool may_be_nan = type_of(element) == MPI_FLOAT || type_of(element) == MPI_DOUBLE;
  if (how == Reduction::min) return may_be_nan ? own_operation<Reduction::min>() : MPI_MIN;
  return may_be_nan ? own_operation<Reduction::max>() : MPI_MAX;
}

}  // namespace

void all_reduce_leaders(MPI_Comm leaders, std::byte* values, int64_t count, Element element, Reduction how) {
  check(MPI_Allreduce(MPI_IN_PLACE, values, static_cast<int>(count), type_of(element), operation_of(how, element),
                      leaders),
        "all_reduce: MPI_Allreduce");
}

}  // namespace sft::mpi
