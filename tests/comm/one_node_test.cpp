// Whose ranks need no network: what mpirun says in the environment.
#include "comm/mpi/one_node.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace sft::mpi {
namespace {

// Environment variables for the time of a test.
class OneNode : public ::testing::Test {
 protected:
  void SetUp() override {
    for (size_t i = 0; i < std::size(kNames); ++i) {
      const char* const value = std::getenv(kNames[i]);
      if (value != nullptr) before_[i] = value;
      ::unsetenv(kNames[i]);
    }
  }
  void TearDown() override {
    for (size_t i = 0; i < std::size(kNames); ++i)
      before_[i] ? ::setenv(kNames[i], before_[i]->c_str(), 1) : ::unsetenv(kNames[i]);
  }

  std::string chosen(const char* all, const char* here) const {
    if (all != nullptr) ::setenv(kNames[0], all, 1);
    if (here != nullptr) ::setenv(kNames[1], here, 1);
    look_for_no_network_on_one_node();
    const char* const pml = std::getenv(kNames[2]);
    return pml != nullptr ? pml : "";
  }

 private:
  static constexpr const char* kNames[] = {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_MCA_pml",
                                           "OMPI_MCA_osc"};
  std::optional<std::string> before_[std::size(kNames)];
};

TEST_F(OneNode, NeedsNoNetwork) { EXPECT_EQ(chosen("4", "4"), "ob1"); }

TEST_F(OneNode, IsNotWhereRanksAreElsewhere) { EXPECT_EQ(chosen("8", "4"), ""); }

TEST_F(OneNode, IsNotKnownWithoutMpirun) { EXPECT_EQ(chosen(nullptr, nullptr), ""); }

TEST_F(OneNode, LeavesWhatTheUserChose) {
  ::setenv("OMPI_MCA_pml", "ucx", 1);
  EXPECT_EQ(chosen("4", "4"), "ucx");
}

TEST_F(OneNode, AsksNoOtherPartForWindows) {
  look_for_windows_of_shared_memory_alone();
  EXPECT_STREQ(std::getenv("OMPI_MCA_osc"), "sm");
  ::setenv("OMPI_MCA_osc", "rdma", 1);
  look_for_windows_of_shared_memory_alone();
  EXPECT_STREQ(std::getenv("OMPI_MCA_osc"), "rdma") << "what the user chose";
}

}  // namespace
}  // namespace sft::mpi
