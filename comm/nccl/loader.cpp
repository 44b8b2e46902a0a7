#include <dlfcn.h>

#include "base/errors.h"
#include "base/text.h"
#include "comm/make_communicator.h"
#include "comm/nccl/connect.h"
#include "comm/nccl/nccl.h"

namespace sft::nccl {
namespace {

constexpr const char* kPlugin = "libsft_cuda.so";

// Never closed: CUDA does not survive it.
struct Plugin {
  void* library = nullptr;
  const DeviceTable* table = nullptr;
  std::string reason;  // why it could not be opened
};

std::string loader_error() {
  const char* text = dlerror();
  return text ? text : "unknown reason";
}

Plugin open_plugin() {
  // The plugin would load without a driver and fail later, less clearly.
  if (!dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL))
    return {.reason = concat("there is no NVIDIA driver (", loader_error(), ")")};
  // First of the libraries that use CUDA: it tells LibTorch's others how to.
  if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL))
    return {.reason = concat("LibTorch's CUDA part cannot be opened (", loader_error(),
                             "): make gpu brings it and what it needs")};
  // Found by the program's own list of folders: where it was built, or where it is installed.
  void* library = dlopen(kPlugin, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return {.reason = concat("the CUDA plugin cannot be opened (", loader_error(), "): make gpu builds it")};
  auto* const give = reinterpret_cast<GiveDeviceTable*>(dlsym(library, kGiveDeviceTable));
  if (!give || give()->layout != DeviceTable::kLayout) return {.reason = concat(kPlugin, " is of another version")};
  return {.library = library, .table = give(), .reason = {}};
}

const Plugin& plugin() {
  static const Plugin opened = open_plugin();
  return opened;
}

}  // namespace

Devices devices() {
  Devices found{.uuids = {}, .reason = plugin().reason};
  if (!found.reason.empty()) return found;
  try {
    found.uuids = uuids_of(*plugin().table);
    if (found.uuids.empty()) found.reason = "CUDA sees no device (CUDA_VISIBLE_DEVICES, or the job's share of GPUs)";
  } catch (const DeviceError& error) {
    found.reason = error.what();
  }
  return found;
}

std::string unavailable(const Placement& placement) {
  const Devices found = devices();
  if (!found.reason.empty() || placement.device < static_cast<int>(found.uuids.size())) return found.reason;
  return concat("rank ", placement.rank, " on ", placement.host, " wants device ", placement.device, " of ",
                found.uuids.size());
}

const DeviceTable* device_table() { return plugin().table; }

void* plugin_symbol(const char* name) { return plugin().library ? dlsym(plugin().library, name) : nullptr; }

std::unique_ptr<Communicator> connect(const Placement& placement) {
  const std::string reason = unavailable(placement);
  if (!reason.empty()) throw DeviceError(reason);
  return connect(*plugin().table, placement, make_communicator(placement.world > 1 ? "mpi" : "solo", placement));
}

}  // namespace sft::nccl
