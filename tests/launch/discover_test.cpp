#include "launch/discover.h"

#include <gtest/gtest.h>

#include <map>

#include "base/errors.h"
#include "comm/make_communicator.h"
#include "launch/cores.h"

namespace sft {
namespace {

using Variables = std::map<std::string, std::string>;

Environment environment_of(const Variables& variables) {
  return [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

Placement discover_in(const Variables& variables) { return discover(environment_of(variables)); }

std::string refusal_in(const Variables& variables) {
  try {
    discover_in(variables);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    return error.what();
  }
  return "";
}

TEST(Discover, AProcessOfItsOwnIsAWorldOfOne) {
  const Placement alone = discover_in({});
  EXPECT_EQ(alone.rank, 0);
  EXPECT_EQ(alone.world, 1);
  EXPECT_EQ(alone.local_world, 1);
  EXPECT_FALSE(alone.host.empty());
}

TEST(Discover, ReadsMpirun) {
  const Placement placement = discover_in({{"OMPI_COMM_WORLD_RANK", "5"},
                                           {"OMPI_COMM_WORLD_SIZE", "8"},
                                           {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                           {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}});
  EXPECT_EQ(placement.rank, 5);
  EXPECT_EQ(placement.world, 8);
  EXPECT_EQ(placement.local_rank, 1);
  EXPECT_EQ(placement.local_world, 4);
}

TEST(Discover, ReadsSrunWithPmix) {
  const Placement placement = discover_in({{"SLURM_STEP_NUM_TASKS", "11"},
                                           {"SLURM_PROCID", "9"},
                                           {"SLURM_LOCALID", "1"},
                                           {"SLURM_NODEID", "2"},
                                           {"SLURM_STEP_TASKS_PER_NODE", "4(x2),3"},
                                           {"PMIX_RANK", "9"}});
  EXPECT_EQ(placement.rank, 9);
  EXPECT_EQ(placement.world, 11);
  EXPECT_EQ(placement.node, 2);
  EXPECT_EQ(placement.local_rank, 1);
  EXPECT_EQ(placement.local_world, 3);
}

TEST(Discover, ReadsTheLauncherOfMpich) {
  const Placement placement =
      discover_in({{"PMI_RANK", "5"}, {"PMI_SIZE", "6"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}});
  EXPECT_EQ(placement.rank, 5);
  EXPECT_EQ(placement.world, 6);
  EXPECT_EQ(placement.local_rank, 1);
  EXPECT_EQ(placement.local_world, 2);
}

TEST(Discover, ReadsSrunWithPmi2) {
  const Placement placement = discover_in({{"SLURM_STEP_NUM_TASKS", "2"},
                                           {"SLURM_PROCID", "1"},
                                           {"SLURM_LOCALID", "1"},
                                           {"SLURM_STEP_TASKS_PER_NODE", "2"},
                                           {"PMI_RANK", "1"},
                                           {"PMI_SIZE", "2"}});
  EXPECT_EQ(placement.rank, 1);
  EXPECT_EQ(placement.local_world, 2);
}

TEST(Discover, MpirunInsideASlurmStepCounts) {
  const Placement placement = discover_in({{"SLURM_STEP_NUM_TASKS", "2"},
                                           {"SLURM_PROCID", "1"},
                                           {"OMPI_COMM_WORLD_RANK", "3"},
                                           {"OMPI_COMM_WORLD_SIZE", "4"}});
  EXPECT_EQ(placement.rank, 3);
  EXPECT_EQ(placement.world, 4);
}

TEST(Discover, MpiexecOfMpichInsideASlurmStepCounts) {
  const Variables variables = {
      {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "1"},   {"PMI_RANK", "5"}, {"PMI_SIZE", "8"},
      {"MPI_LOCALRANKID", "1"},      {"MPI_LOCALNRANKS", "4"}};
  const Placement placement = discover_in(variables);
  EXPECT_EQ(placement.rank, 5);
  EXPECT_EQ(placement.world, 8);
  EXPECT_EQ(placement.local_rank, 1);
  EXPECT_EQ(placement.local_world, 4);
  EXPECT_FALSE(is_launchers_first(environment_of({{"SLURM_PROCID", "0"}, {"PMI_RANK", "1"}})));
}

// Each would be rank 0 of 1, over one output directory.
TEST(Discover, RefusesSrunThatMpiWouldNotSee) {
  EXPECT_NE(refusal_in({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "1"}}).find("srun --mpi=pmix"),
            std::string::npos);
  EXPECT_EQ(refusal_in({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}}), "");
}

// What all are refused for, one of them says.
TEST(Discover, KnowsTheFirstProcessWithoutMpi) {
  const auto is_first_in = [](const Variables& variables) { return is_launchers_first(environment_of(variables)); };
  EXPECT_TRUE(is_first_in({}));
  EXPECT_TRUE(is_first_in({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "0"}}));
  EXPECT_FALSE(is_first_in({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "3"}}));
  EXPECT_FALSE(is_first_in({{"PMI_SIZE", "4"}, {"PMI_RANK", "1"}}));
  EXPECT_FALSE(is_first_in({{"SLURM_PROCID", "0"}, {"OMPI_COMM_WORLD_RANK", "1"}}));
}

TEST(Discover, NamesTheVariableThatIsNoNumber) {
  EXPECT_NE(refusal_in({{"OMPI_COMM_WORLD_RANK", "x"}}).find("OMPI_COMM_WORLD_RANK"), std::string::npos);
}

TEST(Discover, SimulatedNodesShareOutTheRanks) {
  std::vector<Placement> placements;
  for (int rank = 0; rank < 3; ++rank)
    placements.push_back(discover_in(
        {{"OMPI_COMM_WORLD_RANK", std::to_string(rank)}, {"OMPI_COMM_WORLD_SIZE", "3"}, {"SFT_SIMULATED_NODES", "2"}}));
  EXPECT_EQ(placements[0].node, 0);
  EXPECT_EQ(placements[1].node, 0);
  EXPECT_EQ(placements[2].node, 1);
  EXPECT_EQ(placements[1].local_rank, 1);
  EXPECT_EQ(placements[2].local_rank, 0);
  EXPECT_EQ(placements[0].local_world, 2);
  EXPECT_EQ(placements[2].local_world, 1);
  EXPECT_NE(refusal_in({{"SFT_SIMULATED_NODES", "2"}}), "");
}

TEST(Discover, NumbersNodesByTheirHosts) {
  const std::vector<std::string> hosts{"b", "a", "b", "c"};
  spawn_ranks(4, [&](Communicator& world) {
    Placement placement;
    placement.host = hosts[static_cast<size_t>(world.rank())];
    number_nodes(placement, world);
    EXPECT_EQ(placement.node, (std::vector{0, 1, 0, 2})[static_cast<size_t>(world.rank())]);
  });
}

TEST(Cores, RanksOnTheSameCoresShareThem) {
  int alone = 0;
  spawn_ranks(1, [&](Communicator& world) { alone = share_cores(world, "here").threads; });
  EXPECT_GE(alone, 1);
  for (const int ranks : {2, 3})
    spawn_ranks(
        ranks, [&](Communicator& world) { EXPECT_EQ(share_cores(world, "here").threads, std::max(1, alone / ranks)); });
  spawn_ranks(2, [&](Communicator& world) {
    EXPECT_EQ(share_cores(world, world.rank() == 0 ? "here" : "there").threads, alone)
        << "ranks of other hosts take nothing";
  });
}

}  // namespace
}  // namespace sft
