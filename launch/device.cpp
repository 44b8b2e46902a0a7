#include "launch/device.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/nccl/nccl.h"
#include "launch/cores.h"
#include "launch/discover.h"
#include "trainer/models/blocks/device_kernels.h"

namespace sft {
namespace {

// Why no rank of this host can compute on a GPU; empty where each can. Registers the CUDA kernels.
std::string no_cuda(const Placement& placement) {
  const std::string reason = nccl::unavailable(placement);
  if (!reason.empty()) return reason;
  auto* const kernels = reinterpret_cast<const DeviceKernels* (*)()>(nccl::plugin_symbol("sft_cuda_kernels"));
  if (!kernels || kernels()->layout != DeviceKernels::kLayout)
    return "libsft_cuda.so is of another build than this program: build or install both together";
  set_device_kernels(*kernels());
  return "";
}

bool has_driver() { return dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) != nullptr; }

}  // namespace

c10::Device choose_device(const std::string& wanted, const Placement& placement) {
  if (wanted != "auto" && wanted != "cpu" && wanted != "cuda")
    throw ConfigError(concat("device = ", in_quotes(wanted), ": it is auto, cuda or cpu"));
  if (wanted == "cpu") return c10::kCPU;
  const std::string reason = no_cuda(placement);
  if (reason.empty()) return {c10::kCUDA, static_cast<c10::DeviceIndex>(placement.local_rank)};
  if (wanted == "cuda") throw DeviceError(concat("device = 'cuda' on ", placement.host, ": ", reason));
  if (has_driver())
    log::warn_once(concat("there is a GPU driver on ", placement.host, ", but the run goes to the CPU: ", reason));
  return c10::kCPU;
}

c10::Device agree_on_device(const std::string& wanted, const Placement& placement, Communicator& control) {
  c10::Device device = c10::kCPU;
  together(control, [&] { device = choose_device(wanted, placement); });
  if (min(control, int64_t{device.is_cuda()}) == 1 || device.is_cpu()) return device;
  log::warn_once(
      concat("there is a GPU for each rank on ", placement.host, ", but not on another host: the run goes to the CPU"));
  return c10::kCPU;
}

bool set_threads(int64_t wanted, Communicator& control) {
  const CoreShare share = share_cores(control, host_name());
  if (wanted == 0 && !share.note.empty()) log::info(share.note);
  at::set_num_threads(wanted > 0 ? static_cast<int>(wanted) : share.threads);
  return at::get_num_threads() < share.threads;
}

}  // namespace sft
