// Each rank copies its values into its slot of the node's memory, but for the slice that it will combine itself; after
// a barrier rank r combines slice r of all ranks, in rank order, into the result; after another barrier all may read
// it. Two barriers suffice for one call after the other: slots are written again when all have passed the second,
// results when all have passed the first of the next call, before which they had read.
#include "comm/mpi/node_sum.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "comm/combine.h"

namespace sft::mpi {

void combine_on_node(NodeMemory& memory, const std::byte* values, int64_t count, Element element, Reduction how,
                     std::byte* result) {
  const int ranks = memory.size();
  const int me = memory.rank();
  const size_t width = bytes_of(element);
  constexpr int64_t kLine = 64;  // slices begin at cache lines of their own
  const int64_t slice = (count + kLine * ranks - 1) / (kLine * ranks) * kLine;
  const int64_t begin = std::min(slice * me, count);
  const int64_t end = std::min(begin + slice, count);
  const auto post = [&](int64_t first, int64_t last) {
    const size_t offset = static_cast<size_t>(first) * width;
    if (first < last) std::memcpy(memory.slot(me) + offset, values + offset, static_cast<size_t>(last - first) * width);
  };
  post(0, begin);
  post(end, count);
  memory.barrier();

  std::vector<const std::byte*> parts;
  for (int peer = 0; peer < ranks; ++peer)
    parts.push_back((peer == me ? values : memory.slot(peer)) + static_cast<size_t>(begin) * width);
  combine(how, element, parts, result + static_cast<size_t>(begin) * bytes_of(wide(element)), end - begin);
  memory.barrier();
}

int64_t slot_elements(const NodeMemory& memory, Element element) {
  return static_cast<int64_t>(memory.slot_bytes() / bytes_of(wide(element)));
}

}  // namespace sft::mpi
