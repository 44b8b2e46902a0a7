// The CUDA plugin as far as it goes without a GPU: it opens, exports what the loader looks up, and
// its errors are caught as this binary's. With GPUs the conformance suite runs over it as well.
#include "comm/nccl/plugin.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <set>

#include "base/errors.h"
#include "comm/make_communicator.h"
#include "comm/nccl/nccl.h"

namespace sft::nccl {
namespace {

TEST(CudaPlugin, ExportsWhatTheLoaderLooksUp) {
  void* library = dlopen(SFT_CUDA_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_NE(dlsym(library, kConnect), nullptr);
  auto* const list_devices = reinterpret_cast<ListDevices*>(dlsym(library, kListDevices));
  ASSERT_NE(list_devices, nullptr);
  try {
    std::vector<std::string> uuids;
    list_devices(&uuids);
    EXPECT_EQ(std::set<std::string>(uuids.begin(), uuids.end()).size(), uuids.size());
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("cudaGetDeviceCount: "), std::string::npos) << error.what();
  }
}

// Asking for what is not there is an error with a reason; "auto" goes on without it.
TEST(CudaPlugin, WhereItCannotBeUsedTheReasonIsTold) {
  const std::string reason = unavailable({});
  if (reason.empty()) {
    EXPECT_EQ(make_communicator("auto", {})->backend(), "nccl");
    return;
  }
  EXPECT_EQ(make_communicator("auto", {})->backend(), "solo");
  try {
    make_communicator("nccl", {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::device);
    EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sft::nccl
