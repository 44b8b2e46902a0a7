// The worlds that this process can make, so that one conformance suite runs on all of them: solo
// and threads in a process of its own; MPI, with and without a shared window and on two simulated
// nodes, under mpirun; NCCL's communicator over loopback devices in both, and over NCCL where each rank has a GPU.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft::test {

struct World {
  std::string name;
  int size = 1;
  bool in_host_memory = true;  // where more is promised of rounding and of NaN
  // Runs `body` on every rank; under MPI this process is one of them.
  std::function<void(const std::function<void(Communicator&)>& body)> run;
};

inline std::ostream& operator<<(std::ostream& out, const World& world) { return out << world.name; }

const std::vector<World>& worlds();

// NCCL's communicator over the loopback device of each rank (loopback/loopback.h), whose buffers lie there.
std::unique_ptr<Communicator> connect_loopback(std::unique_ptr<Communicator> control);

// The same for buffers in host memory.
std::unique_ptr<Communicator> over_loopback(std::unique_ptr<Communicator> control);

// Ends what `run` has connected; the last call, while MPI is still there.
void close_worlds();

// Where mpirun has put this process; a world of one without it.
Placement placement_under_mpirun();

}  // namespace sft::test
