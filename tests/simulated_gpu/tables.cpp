// What the program looks up, and what it leaves behind: the devices that a process has used, and how often it has
// waited for them and why, written to $SFT_SIMULATED_GPU_REPORT.<its number>.json at its end.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/comm/loopback/loopback.h"
#include "tests/simulated_gpu/kernels.h"

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

extern "C" const sft::DeviceKernels* sft_cuda_kernels() {
  using namespace sft::test::simulated;
  static const sft::DeviceKernels table{.drop_rows = drop_rows,
                                        .add_norm = add_norm,
                                        .add_norm_backward = add_norm_backward,
                                        .bias_gelu = bias_gelu,
                                        .pad = pad,
                                        .unpad = unpad,
                                        .softmax = softmax,
                                        .softmax_backward = softmax_backward,
                                        .flash = flash,
                                        .flash_backward = flash_backward};
  return &table;
}
