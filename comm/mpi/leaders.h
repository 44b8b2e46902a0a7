// What goes between nodes, whose leaders call it: one rank of each, in the order of the nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "comm/mpi/library/sft_mpi.h"

namespace sft::mpi {

class Leaders {
 public:
  // The communicator of the leaders passes here.
  explicit Leaders(SftComm comm);
  void release() noexcept;

  // Combined in the order of the nodes, however the values are cut: the same bits from any library of MPI.
  void all_reduce(std::byte* values, int64_t count, Element element, Reduction how);

  // Node j owns elements [bounds[j], bounds[j + 1]). Leaves the combination of what this node owns in its place.
  void reduce(std::byte* values, std::span<const int64_t> bounds, Element element, Reduction how);

  // Leaves in `values` what each node owns of it. Bounds in bytes.
  void gather(std::byte* values, std::span<const int64_t> bounds);

  void barrier();

  struct Places {  // of what goes to each node, or comes from it
    std::vector<int> bytes, begins;
  };

 private:
  void exchange(const std::byte* mine, const Places& sent, std::byte* theirs, const Places& received);
  void combine_theirs(Reduction how, Element element, std::byte* into, int64_t count);
  void gather_all(std::byte* values, int64_t count, Element element, Reduction how);

  SftComm comm_;
  int nodes_;
  int node_;
  std::vector<std::byte> theirs_;
  std::vector<const std::byte*> parts_;
};

}  // namespace sft::mpi
