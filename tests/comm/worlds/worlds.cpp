#include "tests/comm/worlds/worlds.h"

#include <cstdlib>
#include <map>

#include "base/text.h"
#include "comm/make_communicator.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/connect.h"
#include "comm/overlapped.h"
#include "comm/solo/solo.h"
#include "comm/tree_ordered.h"
#include "tests/comm/loopback/loopback.h"
#include "tests/comm/worlds/staged.h"

namespace sft::test {
namespace {

// Of the first that is set: as Open MPI's launcher names it, and as MPICH's does.
int variable(const char* name, const char* of_mpich, int otherwise) {
  for (const char* each : {name, of_mpich})
    if (const char* text = std::getenv(each)) return std::atoi(text);
  return otherwise;
}

// By name, kept between tests: to connect takes all ranks some time.
std::map<std::string, std::unique_ptr<Communicator>> connected;

World mpi_world(const std::string& name, const Placement& placement, const mpi::Options& options) {
  return {name, placement.world, true, [=](const std::function<void(Communicator&)>& body) {
            std::unique_ptr<Communicator>& world = connected[name];
            if (!world) world = mpi::connect(placement, options);
            body(*world);
          }};
}

World overlapped_world(const std::string& name, const Placement& placement) {
  return {name, placement.world, true, [=](const std::function<void(Communicator&)>& body) {
            std::unique_ptr<Communicator>& world = connected[name];
            if (!world) world = overlapped(mpi::connect(placement));
            body(*world);
          }};
}

World nccl_world(const Placement& placement) {
  return {"nccl", placement.world, false, [=](const std::function<void(Communicator&)>& body) {
            std::unique_ptr<Communicator>& world = connected["nccl"];
            if (!world) world = staged(nccl::connect(placement), *nccl::device_table(), placement.device);
            body(*world);
          }};
}

World loopback_world(const Placement& placement) {
  return {"loopback", placement.world, false, [=](const std::function<void(Communicator&)>& body) {
            std::unique_ptr<Communicator>& world = connected["loopback"];
            if (!world) world = over_loopback(mpi::connect(placement));
            body(*world);
          }};
}

std::vector<World> worlds_of_processes(const Placement& placement) {
  Placement two_nodes = placement;
  two_nodes.node = placement.rank * 2 / placement.world;
  Placement ragged_nodes = placement;
  ragged_nodes.node = placement.rank == 0 ? 0 : 1;
  std::vector<World> all{
      mpi_world("mpi", placement, {}),
      mpi_world("mpi_small_pieces", placement, {.piece_bytes = 64 << 10, .shared_memory = true}),
      mpi_world("mpi_two_nodes", two_nodes, {}),
      mpi_world("mpi_ragged_nodes", ragged_nodes, {.piece_bytes = 64 << 10, .shared_memory = true}),
      mpi_world("mpi_without_shared_memory", placement, {.piece_bytes = 1 << 20, .shared_memory = false}),
      overlapped_world("mpi_overlapped", placement),
      overlapped_world("mpi_two_nodes_overlapped", two_nodes),
      loopback_world(placement),
  };
  if (nccl::unavailable(placement).empty()) all.push_back(nccl_world(placement));
  return all;
}

std::vector<World> worlds_of_one_process() {
  std::vector<World> all{{"solo", 1, true, [](const auto& body) { body(*solo::connect({})); }}};
  for (const int size : {1, 2, 3, 4})
    all.push_back({concat("threads_", size), size, true, [size](const auto& body) { spawn_ranks(size, body); }});
  for (const int size : {1, 3})
    all.push_back({concat("overlapped_", size), size, true, [size](const auto& body) {
                     spawn_ranks(size, [&](Communicator& world) { body(*overlapped(world.split(0, world.rank()))); });
                   }});
  for (const int size : {1, 2, 4})
    all.push_back({concat("tree_", size), size, false, [size](const auto& body) {
                     spawn_ranks(size, [&](Communicator& world) { body(*tree_ordered(world.split(0, world.rank()))); });
                   }});
  for (const int size : {2, 3})
    all.push_back({concat("loopback_", size), size, false, [size](const auto& body) {
                     spawn_ranks(size,
                                 [&](Communicator& world) { body(*over_loopback(world.split(0, world.rank()))); });
                   }});
  return all;
}

}  // namespace

std::unique_ptr<Communicator> over_loopback(std::unique_ptr<Communicator> control) {
  const int device = loopback::device_of(control->rank());
  return staged(connect_loopback(std::move(control)), loopback::table(), device);
}

std::unique_ptr<Communicator> connect_loopback(std::unique_ptr<Communicator> control) {
  Placement placement;
  placement.device = loopback::device_of(control->rank());
  return nccl::connect(loopback::table(), placement, std::move(control));
}

Placement placement_under_mpirun() {
  Placement placement;
  placement.rank = variable("OMPI_COMM_WORLD_RANK", "PMI_RANK", 0);
  placement.world = variable("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", 1);
  placement.local_rank = placement.device = variable("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", 0);
  placement.local_world = variable("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", 1);
  return placement;
}

void close_worlds() { connected.clear(); }

const std::vector<World>& worlds() {
  static const std::vector<World> all = std::getenv("OMPI_COMM_WORLD_SIZE") || std::getenv("PMI_SIZE")
                                            ? worlds_of_processes(placement_under_mpirun())
                                            : worlds_of_one_process();
  return all;
}

}  // namespace sft::test
