// The table of devices that the program looks up; that of kernels is the plugin's own. And what a process leaves
// behind: the devices that it has used, and how often it has waited for them and why, written to
// $SFT_SIMULATED_GPU_REPORT.<its number>.json at its end.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/comm/loopback/loopback.h"
#include "tests/simulated_gpu/simulated_gpu.h"

namespace sft::test::simulated {
namespace {

void write_report() {
  const char* const path = std::getenv("SFT_SIMULATED_GPU_REPORT");
  if (!path) return;
  const nlohmann::json report{{"devices", loopback::touched_devices()}, {"waits", loopback::host_waits()}};
  std::ofstream(concat(path, ".", ::getpid(), ".json")) << report.dump(2) << '\n';
}

const int at_the_end = std::atexit(write_report);

}  // namespace
}  // namespace sft::test::simulated

extern "C" const sft::nccl::DeviceTable* sft_cuda_device_table() { return &sft::test::loopback::table(); }
