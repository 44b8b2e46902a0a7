#include "launch/discover.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/errors.h"
#include "base/process.h"
#include "base/text.h"
#include "comm/agree.h"

namespace sft {
namespace {

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  bool has(const char* name) const { return environment_(name) != nullptr; }

  std::optional<int> number(const char* name) const {
    const char* text = environment_(name);
    if (!text) return std::nullopt;
    const std::string_view digits(text);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc() || end != digits.end() || value < 0)
      throw ConfigError(concat("the environment variable ", name, " should be a number, and is ", in_quotes(digits)));
    return value;
  }

  int number(const char* name, int otherwise) const { return number(name).value_or(otherwise); }

 private:
  const Environment& environment_;
};

// What a launcher calls the numbers that it gives to each process.
struct Names {
  const char *rank, *world, *local_rank, *local_world;
};
constexpr Names kOfOpenMpi = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
                              "OMPI_COMM_WORLD_LOCAL_SIZE"};
constexpr Names kOfMpich = {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"};  // and of its kin

Placement from_mpirun(const Variables& variables, const Names& names) {
  Placement placement;
  placement.rank = variables.number(names.rank, 0);
  placement.world = variables.number(names.world, 1);
  placement.local_rank = variables.number(names.local_rank, 0);
  placement.local_world = variables.number(names.local_world, 1);
  return placement;
}

// SLURM_STEP_TASKS_PER_NODE is a list such as "4(x2),3": four tasks on each of two nodes, then three.
int tasks_on_node(std::string_view list, int node) {
  while (!list.empty()) {
    int tasks = 0;
    int times = 1;
    const auto [end, error] = std::from_chars(list.begin(), list.end(), tasks);
    if (error != std::errc()) break;
    list.remove_prefix(static_cast<size_t>(end - list.begin()));
    if (list.starts_with("(x")) {
      const auto [after, bad] = std::from_chars(list.begin() + 2, list.end(), times);
      if (bad != std::errc()) break;
      list.remove_prefix(std::min(static_cast<size_t>(after - list.begin()) + 1, list.size()));
    }
    if (node < times) return tasks;
    node -= times;
    if (list.starts_with(',')) list.remove_prefix(1);
  }
  return 1;
}

Placement from_srun(const Variables& variables, const Environment& environment) {
  Placement placement;
  placement.rank = variables.number("SLURM_PROCID", 0);
  placement.world = variables.number("SLURM_STEP_NUM_TASKS", 1);
  placement.local_rank = variables.number("SLURM_LOCALID", 0);
  placement.node = variables.number("SLURM_NODEID", 0);
  const char* tasks = environment("SLURM_STEP_TASKS_PER_NODE");
  placement.local_world = tasks ? tasks_on_node(tasks, placement.node) : 1;
  return placement;
}

[[noreturn]] void refuse(const std::string& launcher, int ranks, const std::string& advice) {
  throw Error(ExitCode::config,
              concat(launcher, " started ", ranks, " ranks that would not find one another: start them with ", advice),
              Reach::everywhere);
}

// Only PMIx tells Open MPI of the other ranks, and only PMI tells MPICH.
Placement from_launcher(const Variables& variables, const Environment& environment) {
  if (variables.has("OMPI_COMM_WORLD_RANK")) return from_mpirun(variables, kOfOpenMpi);
  // MPICH's mpiexec inside a step: its proxies are the step's tasks.
  if (variables.has("MPI_LOCALRANKID")) return from_mpirun(variables, kOfMpich);
  const int step_tasks = variables.number("SLURM_STEP_NUM_TASKS", 1);
  if (step_tasks > 1 && !variables.has("PMIX_RANK") && !variables.has("PMI_RANK"))
    refuse("srun", step_tasks, "srun --mpi=pmix, or of MPICH's kin srun --mpi=pmi2");
  if (step_tasks > 1) return from_srun(variables, environment);
  return from_mpirun(variables, kOfMpich);
}

void simulate_nodes(Placement& placement, int nodes) {
  if (nodes < 1 || nodes > placement.world)
    throw ConfigError(
        concat("SFT_SIMULATED_NODES should be from 1 to the ", placement.world, " ranks, and is ", nodes));
  const auto node_of = [&](int rank) { return rank * nodes / placement.world; };
  placement.node = node_of(placement.rank);
  placement.local_rank = 0;
  placement.local_world = 0;
  for (int rank = 0; rank < placement.world; ++rank) {
    if (node_of(rank) != placement.node) continue;
    placement.local_rank += rank < placement.rank;
    ++placement.local_world;
  }
}

}  // namespace

Environment process_environment() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

Placement discover(const Environment& environment) {
  const Variables variables(environment);
  Placement placement = from_launcher(variables, environment);
  if (const auto nodes = variables.number("SFT_SIMULATED_NODES")) simulate_nodes(placement, *nodes);
  placement.host = host_name();
  return placement;
}

bool is_launchers_first(const Environment& environment) {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* rank = environment(name)) return std::string_view(rank) == "0";
  return true;
}

void number_nodes(Placement& placement, Communicator& control) {
  const std::vector<std::string> all = gather_all(control, concat(placement.host, '\n', placement.node));
  std::vector<std::string> nodes;
  for (const std::string& name : all)
    if (std::ranges::find(nodes, name) == nodes.end()) nodes.push_back(name);
  placement.node = static_cast<int>(std::ranges::find(nodes, all[static_cast<size_t>(control.rank())]) - nodes.begin());
}

}  // namespace sft
