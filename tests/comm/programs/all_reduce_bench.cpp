// Times all-reduces of float32 over the ranks of a node: through the shared window, by MPI_Allreduce, and a plain copy
// of the same bytes on each rank as the limit. A line each: name, bytes, milliseconds (the median of the rounds).
// Usage: mpirun -np 2 all_reduce_bench BYTES…      benchmarks/all_reduce.py makes a table of it.
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include "base/stopwatch.h"
#include "comm/agree.h"
#include "comm/mpi/mpi.h"
#include "tests/comm/worlds/worlds.h"

namespace sft::test {
namespace {

// A round lasts as long as its slowest rank.
void time(const char* name, Communicator& world, size_t bytes, const std::function<void()>& body) {
  const int rounds = bytes > 50'000'000 ? 5 : bytes > 1'000'000 ? 21 : 201;
  std::vector<double> times;
  for (int round = 0; round < rounds + 2; ++round) {
    world.barrier();
    const Stopwatch watch;
    body();
    double seconds = watch.seconds();
    world.all_reduce(Buffer::of(seconds), Reduction::max);
    if (round >= 2) times.push_back(seconds * 1e3);
  }
  std::ranges::nth_element(times, times.begin() + rounds / 2);
  if (world.rank() == 0) std::printf("%s %zu %.5f\n", name, bytes, times[static_cast<size_t>(rounds / 2)]);
}

void run(const std::vector<size_t>& sizes) {
  const auto world = mpi::connect(placement_under_mpirun(), {});
  for (const size_t bytes : sizes) {
    std::vector<float> values(bytes / sizeof(float)), other(values.size());
    time("shared", *world, bytes, [&] { world->all_reduce(Buffer::of(std::span(values)), Reduction::sum); });
    time("mpi", *world, bytes, [&] {
      MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    });
    time("memcpy", *world, bytes, [&] { std::memcpy(other.data(), values.data(), bytes); });
  }
}

}  // namespace
}  // namespace sft::test

int main(int argc, char** argv) {
  std::vector<size_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::strtoul(argv[i], nullptr, 10));
  sft::test::run(sizes);
}
