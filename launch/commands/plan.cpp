// What would this run take on another number of ranks? Memory by its parts and, where speed and links are known, time:
// from some updates of one rank, whose peers are imagined.
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/planning/kinds.h"
#include "trainer/planning/known_links.h"
#include "trainer/planning/plan.h"
#include "trainer/planning/units.h"
#include "trainer/preflight/time_sums.h"
#include "trainer/preflight/trace_rank.h"

namespace sft {
namespace {

constexpr int64_t kMostUpdates = 10;
constexpr double kMostSeconds = 10;
constexpr int64_t kMostRanks = 1 << 16;

// The world that is asked for.
struct Wanted {
  int nodes = 1, per_node = 1;
  const planning::GpuKind* kind = nullptr;  // null: this machine's own device
  std::optional<planning::Link> link;
};

// This job has `here` ranks on the fullest of `nodes` nodes.
Wanted wanted_by(const Arguments& arguments, int here, int nodes) {
  Wanted wanted;
  wanted.per_node = static_cast<int>(arguments.gpus > 0 ? arguments.gpus : here);
  wanted.nodes = static_cast<int>(arguments.nodes > 0 ? arguments.nodes : nodes);
  if (int64_t{wanted.nodes} * wanted.per_node > kMostRanks)
    throw Error(ExitCode::usage, concat("--nodes ", wanted.nodes, " of --gpus ", wanted.per_node, ": more than ",
                                        kMostRanks, " ranks"));
  if (!arguments.kind.empty()) wanted.kind = planning::find_kind(arguments.kind);
  if (arguments.latency.empty() != arguments.bandwidth.empty())
    throw Error(ExitCode::usage, "--latency and --bandwidth describe a link together: the other one is missing");
  if (!arguments.latency.empty())
    wanted.link = {planning::seconds_from(arguments.latency, "--latency"),
                   planning::rate_from(arguments.bandwidth, "--bandwidth")};
  return wanted;
}

// What zero2 holds of buckets is no part of the activations, and nobody brings the weights of zero3.
std::string weighed_as(const std::string& strategy) {
  return strategy == "zero2" || strategy == "zero3" ? "zero1" : strategy;
}

// A run of the first rank of the wanted world, traced with `strategy` in place of the config's. Its data were opened by
// the ranks that are there.
RankTrace trace(LoadedConfig loaded, const std::string& strategy, const Wanted& wanted, const World& here,
                int64_t program_bytes) {
  const RunConfig asked = loaded.config;
  loaded.config.parallel.strategy = strategy;
  std::unique_ptr<ModelDirectory> directory;
  together(here.control, [&] {
    directory = std::make_unique<ModelDirectory>(loaded.config.model.model_name_or_path, loaded.config.model.adapter);
    settle_reading(loaded, *directory);
  });
  Datasets data = open_datasets(loaded, *directory, here.control);
  RankTrace traced;
  together(here.control, [&] {
    const int ranks = wanted.nodes * wanted.per_node;
    imagined::World world{.rank = 0,
                          .size = ranks,
                          .overlaps = wanted.kind != nullptr || !here.device.is_cpu() || here.gradients.overlaps()};
    if (!here.device.is_cpu())
      world.settle = [device = here.device] {
        c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
      };
    const auto journal = std::make_shared<imagined::Journal>();
    const auto gradients = imagined::gradients(world, journal), control = imagined::control(world, journal);
    Allocations allocations;
    const auto run = assemble(std::move(loaded), {*gradients, *control, here.device, here.stop_requested},
                              [&](const auto&...) { return std::move(data); });
    check_spread_parameters(asked, run->learner().model());
    traced = trace_rank(*run, *journal, allocations, program_bytes, kMostUpdates, kMostSeconds);
  });
  return traced;
}

std::optional<planning::MeasuredLink> measured_link(const Wanted& wanted, const World& here, int nodes) {
  const int ranks = here.control.size();
  if (ranks == 1 || wanted.kind != nullptr || wanted.nodes * wanted.per_node == 1) return {};
  return planning::MeasuredLink{planning::fit(time_sums(here), nodes > 1 ? nodes : ranks), ranks, nodes};
}

// How many times as fast as here; 0: nobody has measured it.
double speed_of(const Wanted& wanted, const RankTrace& traced, const std::string& dtype) {
  if (wanted.kind == nullptr) return 1;
  const std::vector<planning::TimedUpdate> none, &timed = dtype == "float32"    ? wanted.kind->float32
                                                         : dtype == "bfloat16" ? wanted.kind->bfloat16
                                                                               : none;
  if (timed.empty()) return 0;
  double computing = 0;
  for (const planning::TracedUpdate& update : traced.updates)
    computing += update.computing / static_cast<double>(traced.updates.size());
  return computing / planning::seconds_of(timed, traced.flops);
}

int64_t room_of(const Wanted& wanted, const World& here) {
  if (wanted.kind != nullptr) return wanted.kind->memory_mib << 20;
  return here.device.is_cpu() ? memory_limit_bytes() / wanted.per_node : 0;
}

std::string device_text(const Wanted& wanted, const World& here) {
  if (wanted.kind != nullptr) return std::string(wanted.kind->name);
  if (!here.device.is_cpu()) return here.device.str();
  const int threads = at::get_num_threads();
  return concat("cpu, ", threads, threads == 1 ? " thread a rank" : " threads a rank");
}

planning::Plan plan_of(const RunConfig& config, const Wanted& wanted, const World& here, const RankTrace& weighed,
                       const RankTrace& timed, const std::optional<planning::MeasuredLink>& measured) {
  planning::KnownLinks links = planning::known_links(wanted.nodes, wanted.per_node, wanted.link, measured);
  planning::Plan plan{.fabric = links.fabric,
                      .device = device_text(wanted, here),
                      .links = links.told,
                      .run = weighed.weighed,
                      .room = {.bytes = room_of(wanted, here),
                               .ranks = links.fabric.ranks(),
                               .strategy = config.parallel.strategy,
                               .may_spread_weights = timed.may_spread_weights,
                               .recomputes = config.train.gradient_checkpointing,
                               .is_frozen = config.lora.is_on()},
                      .rows_of_update = timed.rows_of_update,
                      .updates = timed.updates_of_run,
                      .updates_of_epoch = timed.updates_of_epoch,
                      .update = {},
                      .refusal = links.refusal};
  if (here.device.is_cpu() && wanted.kind == nullptr)
    plan.run.kept = planning::kept_of(timed.weighed, timed.strategy, links.fabric.ranks(), timed.resident);
  if (wanted.kind != nullptr) plan.run.on_device = true;
  if (plan.run.on_device) plan.run.program = 0;  // what the driver and NCCL keep for themselves is not known here
  const double speed = speed_of(wanted, timed, config.model.dtype);
  if (speed == 0)
    plan.refusal = concat("no update in ", config.model.dtype, " was ever timed on ", wanted.kind->name,
                          "; benchmarks/gpu.py times them there, and benchmarks/gpu.txt has what is known");
  // Nobody brings weights in a world that is imagined, so that no update of zero3 can be made there.
  if (config.parallel.strategy == "zero3" && plan.refusal.empty())
    plan.refusal =
        "an update of parallel.strategy = \"zero3\" is not timed: weights would have to come from ranks that are not "
        "there; its memory is told";
  if (plan.refusal.empty()) plan.update = planning::plan_updates(timed.updates, links.fabric, speed);
  return plan;
}

}  // namespace

ExitCode plan(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  Wanted wanted;
  const auto per_node = static_cast<int>(max(job.control(), job.placement().local_world));
  const auto nodes = static_cast<int>(sum(job.control(), job.placement().local_rank == 0 ? 1.0 : 0.0));
  together(job.control(), [&] {
    wanted = wanted_by(arguments, per_node, nodes);
    loaded = load_run(arguments.target, arguments.overrides);
    if (loaded.config.deterministic)
      throw ConfigError("plan knows no sums in the order of a tree, which deterministic = true makes; plan the run "
                        "without it: with it, it takes longer");
  });
  const bool speaks = job.control().rank() == 0;
  if (speaks)
    for (const std::string& warning : loaded.warnings) log::warn(warning);
  RunConfig& config = loaded.config;
  require_agreement(job.control(), [&] { return run_facts(config); });
  job.show_progress(config.log.progress);
  const World here = job.world(config.device, num_threads(config), config.comm);
  together(job.control(), [&] {
    if (wanted.kind != nullptr && !here.device.is_cpu())
      throw Error(ExitCode::usage, "--kind plans for a GPU that is not here: device = \"cpu\" lets it, and without "
                                   "--kind the GPU that is here is timed");
  });
  const int64_t program = max(job.control(), peak_rss_bytes());
  if (wanted.kind != nullptr && config.train.max_tokens_per_micro_batch == 0)
    config.train.max_tokens_per_micro_batch = micro_batch_tokens(config, at::kCUDA);
  const std::string strategy = config.parallel.strategy;
  const RankTrace timed = trace(loaded, strategy == "zero3" ? weighed_as(strategy) : strategy, wanted, here, program);
  const RankTrace weighed =
      timed.strategy == weighed_as(strategy) ? timed : trace(loaded, weighed_as(strategy), wanted, here, program);
  const auto measured = measured_link(wanted, here, nodes);  // behind what is weighed: it takes memory
  const planning::Plan plan = plan_of(config, wanted, here, weighed, timed, measured);
  if (!speaks) return ExitCode::done;
  std::cout << (arguments.json ? json_of(plan).dump(2) + "\n" : table_of(plan)) << std::flush;
  if (wanted.kind != nullptr)
    log::info(concat("activations are those of this CPU", config.model.dtype == "bfloat16"
                                                                ? ", in float32: a GPU holds about half of them"
                                                                : "",
                     "; what the driver and NCCL keep for themselves comes to the memory"));
  return ExitCode::done;
}

}  // namespace sft
