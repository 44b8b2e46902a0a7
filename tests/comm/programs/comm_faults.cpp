// A job of MPI ranks that goes wrong in the way named on the command line; faults_test.cpp starts
// it under mpirun and looks at how it ends.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/progress.h"
#include "comm/agree.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/connect.h"
#include "comm/verified.h"
#include "comm/watchdog.h"
#include "tests/comm/device_memory.h"
#include "tests/comm/worlds/worlds.h"

namespace sft::test {
namespace {

void fail_together(Communicator& world) {
  together(world, [&] {
    if (world.rank() == 1) throw DataError("bad row");
  });
}

void fail_alone(Communicator& world) {
  if (world.rank() == 1) throw DataError("alone");
  sum(world, 1.0);
}

void stop_in_a_step(Communicator& world) {
  Watchdog watchdog(world, "here", 1.0);
  const auto watched = watchdog.watch(world.split(0, world.rank()));
  for (int step = 0;; ++step) {
    progress().step = step;
    progress().set_phase("train");
    if (step == 100 && world.rank() == 1) raise(SIGSTOP);
    std::vector<float> values(50000);
    watched->all_reduce(Buffer::of(std::span(values)), Reduction::sum);
  }
}

// The others wait for their devices, in no call.
void stop_between_updates_on_devices(Communicator& world) {
  Watchdog watchdog(world, "here", 1.0);
  const auto sums = watchdog.connect([&] { return connect_loopback(world.split(0, world.rank())); });
  for (int step = 0;; ++step) {
    progress().step = step;
    progress().set_phase("train");
    if (step == 100 && world.rank() == 1) raise(SIGSTOP);
    DeviceFloats values(loopback::device_of(world.rank()), 50000);
    values.write(1);
    sums->start_all_reduce(values.buffer())->wait();
    values.synchronize();
  }
}

double limit = 3;  // seconds, of the watchdog over GPUs

// A bucket that is half as long on one rank, over the GPUs of the plugin. The others' devices wait for the rest of it.
void send_a_short_bucket_on_gpus(Communicator& world) {
  constexpr size_t kCount = 4 << 20;
  const Placement here = placement_under_mpirun();
  if (const std::string reason = nccl::unavailable(here); !reason.empty()) throw DeviceError(reason);
  const nccl::DeviceTable& table = *nccl::device_table();
  nccl::check(table, table.set_device(here.device), "set the device");
  Watchdog watchdog(world, "here", limit);
  const auto sums = watchdog.connect([&] { return nccl::connect(table, here, world.split(0, world.rank())); });
  for (int step = 0; step < 2; ++step) {
    progress().step = step;
    progress().set_phase("train");
    DeviceFloats values(here.device, step == 1 && world.rank() == 1 ? kCount / 2 : kCount, table);
    values.write(1);
    sums->start_all_reduce(values.buffer())->wait();
    values.synchronize();
  }
}

void mismatch(Communicator& world) {
  const auto checked = verified(world.split(0, world.rank()));
  if (world.rank() == 1)
    checked->barrier();
  else
    sum(*checked, 1.0);
}

void end_well(Communicator& world) { sum(world, 1.0); }

int run(const std::string& scenario) {
  const std::map<std::string, void (*)(Communicator&)> scenarios{{"fail_together", fail_together},
                                                                 {"fail_alone", fail_alone},
                                                                 {"stop_in_a_step", stop_in_a_step},
                                                                 {"stop_on_devices", stop_between_updates_on_devices},
                                                                 {"short_bucket_on_gpus", send_a_short_bucket_on_gpus},
                                                                 {"mismatch", mismatch},
                                                                 {"end_well", end_well}};
  try {
    const auto world = mpi::connect(placement_under_mpirun());
    scenarios.at(scenario)(*world);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "rank %d ends with %d: %s\n", placement_under_mpirun().rank, static_cast<int>(error.code()),
                 error.what());
    return static_cast<int>(error.code());
  }
}

}  // namespace
}  // namespace sft::test

int main(int count, char** argv) {
  if (count > 2) sft::test::limit = std::stod(argv[2]);
  return sft::test::run(argv[1]);
}
