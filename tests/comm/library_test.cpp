// Which MPI is opened, told from what a launcher leaves in the environment.
#include "comm/mpi/library/library.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace sft::test {
namespace {

std::vector<std::string> tried_with(const std::map<std::string, const char*>& variables) {
  std::vector<std::string> names;
  for (const mpi::LibraryKind& kind : mpi::kinds_to_try([&](const char* name) -> const char* {
         const auto found = variables.find(name);
         return found == variables.end() ? nullptr : found->second;
       }))
    names.emplace_back(kind.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(MpiLibrary, IsTheLaunchers) {
  EXPECT_EQ(tried_with({{"OMPI_COMM_WORLD_RANK", "0"}}), Names{"Open MPI"});
  EXPECT_EQ(tried_with({{"PMI_RANK", "0"}}), Names{"MPICH"});
  EXPECT_EQ(tried_with({{"OMPI_COMM_WORLD_RANK", "1"}, {"PMI_RANK", "0"}}), Names{"Open MPI"})
      << "Open MPI's mpirun inside a step of srun --mpi=pmi2";
}

TEST(MpiLibrary, IsTheFirstThatIsThereWhereNoLauncherTells) {
  EXPECT_EQ(tried_with({}), (Names{"Open MPI", "MPICH"}));
  EXPECT_EQ(tried_with({{"PMIX_RANK", "0"}}), (Names{"Open MPI", "MPICH"}));
}

}  // namespace
}  // namespace sft::test
