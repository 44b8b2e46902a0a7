#include "launch/device.h"

#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/nccl/nccl.h"
#include "launch/choose_device.h"
#include "launch/cores.h"
#include "trainer/models/blocks/device_kernels.h"

namespace sft {
namespace {

// Why this rank can compute on no GPU; "" where it can. Registers the CUDA kernels.
std::string no_kernels() {
  auto* const kernels = reinterpret_cast<const DeviceKernels* (*)()>(nccl::plugin_symbol("sft_cuda_kernels"));
  if (!kernels || kernels()->layout != DeviceKernels::kLayout)
    return "libsft_cuda.so is of another build than this program: build or install both together";
  set_device_kernels(*kernels());
  return "";
}

SeenDevices seen_here(const Placement& placement) {
  auto [uuids, reason] = nccl::devices();
  if (reason.empty()) reason = no_kernels();
  if (!reason.empty()) uuids.clear();
  return {placement.host, placement.local_rank, std::move(uuids), std::move(reason)};
}

std::vector<SeenDevices> seen_by_all(const SeenDevices& here, Communicator& control) {
  std::vector<SeenDevices> all;
  for (const std::string& text :
       gather_all(control, nlohmann::json{here.host, here.local_rank, here.uuids, here.reason}.dump())) {
    const auto seen = nlohmann::json::parse(text);
    all.push_back({seen[0], seen[1], seen[2].get<std::vector<std::string>>(), seen[3]});
  }
  return all;
}

bool has_driver() { return dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) != nullptr; }

}  // namespace

c10::Device agree_on_device(const std::string& wanted, Placement& placement, Communicator& control) {
  std::vector<int> chosen;
  SeenDevices here;
  together(control, [&] {
    if (wanted != "auto" && wanted != "cpu" && wanted != "cuda")
      throw ConfigError(concat("device = ", in_quotes(wanted), ": it is auto, cuda or cpu"));
    if (wanted != "cpu") here = seen_here(placement);
  });
  if (wanted == "cpu") return c10::kCPU;
  const std::vector<SeenDevices> all = seen_by_all(here, control);
  together(control, [&] { chosen = choose_devices(wanted, all); });
  if (chosen.empty()) {
    if (has_driver())
      log::warn_once(
          concat("there is a GPU driver on ", placement.host, ", but the run goes to the CPU: ", here.reason));
    return c10::kCPU;
  }
  placement.device = chosen[static_cast<size_t>(control.rank())];
  // And of this thread: what it asks of CUDA without a device, as the end of an event is, would be the first one's.
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(placement.device));
  c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  return device;
}

bool set_threads(int64_t wanted, Communicator& control) {
  const CoreShare share = share_cores(control, host_name());
  if (wanted == 0 && !share.note.empty()) log::info(share.note);
  at::set_num_threads(wanted > 0 ? static_cast<int>(wanted) : share.threads);
  return at::get_num_threads() < share.threads;
}

}  // namespace sft
