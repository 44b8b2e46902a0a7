// Times all-reduces over MPI ranks, by shared memory and by MPI alone, and a plain copy of the same
// bytes as the limit: median and fastest, in milliseconds. Usage: mpirun -np 2 all_reduce_bench [MB] [piece KiB…]
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
#include "tests/comm/worlds.h"

namespace sft::test {
namespace {

struct Milliseconds {
  double median;
  double fastest;
};

// A round lasts as long as its slowest rank.
Milliseconds time(Communicator& world, int rounds, const std::function<void()>& body) {
  std::vector<double> times;
  for (int round = 0; round < rounds + 2; ++round) {
    world.barrier();
    const Stopwatch watch;
    body();
    double seconds = watch.seconds();
    world.all_reduce(Buffer::of(seconds), Reduction::max);
    if (round >= 2) times.push_back(seconds * 1e3);
  }
  std::ranges::sort(times);
  return {times[times.size() / 2], times.front()};
}

void report(const char* what, size_t bytes, Milliseconds ms, int rank) {
  if (rank == 0) std::printf("%-28s %12zu bytes %12.4f ms, fastest %10.4f\n", what, bytes, ms.median, ms.fastest);
}

void time_all(Communicator& world, const char* name, size_t megabytes) {
  for (const size_t bytes : {size_t{8}, size_t{4096}, size_t{16384}, size_t{262144}, megabytes * 1000000}) {
    std::vector<float> values(std::max(bytes / sizeof(float), size_t{1}));
    const int rounds = bytes > 1000000 ? 21 : 201;
    report(name, bytes, time(world, rounds, [&] { world.all_reduce(Buffer::of(std::span(values)), Reduction::sum); }),
           world.rank());
  }
}

void time_mpi(Communicator& world, size_t megabytes) {
  for (const size_t count : {size_t{65536}, megabytes * 250000}) {
    std::vector<float> values(count);
    report("MPI_Allreduce", count * 4,
           time(world, 21,
                [&] {
                  MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(count), MPI_FLOAT, MPI_SUM,
                                MPI_COMM_WORLD);
                }),
           world.rank());
  }
}

void run(size_t megabytes, const std::vector<size_t>& pieces) {
  const Placement placement = placement_under_mpirun();
  for (const size_t piece : pieces) {
    const auto shared = mpi::connect(placement, {.piece_bytes = piece << 10, .shared_memory = true});
    time_all(*shared, ("shared, pieces of " + std::to_string(piece) + " KiB").c_str(), megabytes);
  }
  const auto plain = mpi::connect(placement, {.piece_bytes = size_t{4} << 20, .shared_memory = false});
  time_all(*plain, "no shared memory", megabytes);
  time_mpi(*plain, megabytes);
  Placement halves = placement;
  halves.node = placement.rank * 2 / placement.world;
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{4}}) {
    const auto nodes = mpi::connect(halves, {.piece_bytes = piece << 20, .shared_memory = true});
    time_all(*nodes, ("two nodes, pieces of " + std::to_string(piece) + " MiB").c_str(), megabytes);
  }
  std::vector<float> from(megabytes * 250000, 1.0f);
  std::vector<float> to(from.size());
  report("memcpy on each rank", from.size() * 4,
         time(*plain, 21, [&] { std::memcpy(to.data(), from.data(), from.size() * 4); }), plain->rank());
}

}  // namespace
}  // namespace sft::test

int main(int argc, char** argv) {
  std::vector<size_t> pieces;
  for (int i = 2; i < argc; ++i) pieces.push_back(std::strtoul(argv[i], nullptr, 10));
  if (pieces.empty()) pieces = {1024};
  sft::test::run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100, pieces);
}
