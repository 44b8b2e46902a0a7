// The CUDA plugin as far as it goes without a GPU: it opens, and its table is whole and tells CUDA's reasons. With GPUs
// the conformance suite runs over it as well.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "base/errors.h"
#include "comm/make_communicator.h"
#include "comm/nccl/connect.h"

namespace sft::nccl {
namespace {

TEST(CudaPlugin, GivesATableWithoutGaps) {
  void* library = dlopen(SFT_CUDA_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto* const give = reinterpret_cast<GiveDeviceTable*>(dlsym(library, kGiveDeviceTable));
  ASSERT_NE(give, nullptr);
  const DeviceTable& table = *give();
  EXPECT_EQ(table.layout, DeviceTable::kLayout);
  std::array<const void*, sizeof(DeviceTable) / sizeof(void*)> entries;
  std::memcpy(entries.data(), &table, sizeof table);
  EXPECT_EQ(std::ranges::count(entries, nullptr), 0);
  try {
    const std::vector<std::string> uuids = uuids_of(table);
    EXPECT_EQ(std::set<std::string>(uuids.begin(), uuids.end()).size(), uuids.size());
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("count the devices: "), std::string::npos) << error.what();
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
