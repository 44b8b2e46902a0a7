// The reduction within a node.
#pragma once

#include <cstddef>
#include <cstdint>

#include "comm/communicator.h"
#include "comm/mpi/node_memory.h"

namespace sft::mpi {

// Collective over the node: leaves the combination of its ranks' `values`, at most as many as a slot has room for in
// the wide element, in `result`, which lies in the node's memory. Every rank may read it then, until the next call.
void combine_on_node(NodeMemory& memory, const std::byte* values, int64_t count, Element element, Reduction how,
                     std::byte* result);

inline std::byte* at(Buffer buffer, int64_t element) {
  return static_cast<std::byte*>(buffer.data) + static_cast<size_t>(element) * bytes_of(buffer.element);
}

// Elements that go into a slot at once.
int64_t slot_elements(const NodeMemory& memory, Element element);

}  // namespace sft::mpi
