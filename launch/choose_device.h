// Which device each rank computes on, decided from what all ranks of the job see: the same answer on each of them.
#pragma once

#include <string>
#include <vector>

namespace sft {

// What one rank sees of its host.
struct SeenDevices {
  std::string host;
  int local_rank = 0;              // among the ranks of the host
  std::vector<std::string> uuids;  // of the devices that this rank may use, in their order
  std::string reason;              // why it can use none, where there are none
};

// The number of each rank's device among those that it sees; empty: all ranks compute on CPU cores.
//
// `wanted` is auto, cuda or cpu. Under auto the CPU is taken where no rank of any host can use a GPU, and nowhere else:
// a host without a driver among hosts with one would send hours of a reservation to the CPU. DeviceError that names
// host, rank and reason where only some ranks can use one, where a host has fewer than it has ranks, or where two ranks
// would share one; under cuda also where no rank can.
std::vector<int> choose_devices(const std::string& wanted, const std::vector<SeenDevices>& ranks);

}  // namespace sft
