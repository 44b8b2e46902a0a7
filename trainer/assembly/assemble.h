// The parts of a run, built in order from its config: the one place where all rooms of the house
// meet.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "trainer/assembly/datasets.h"
#include "trainer/assembly/world.h"
#include "trainer/config/run_config.h"
#include "trainer/loop/explaining.h"
#include "trainer/loop/trainer.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/parallel/world_statistics.h"

namespace sft {

// Members are borrowed by those below them, so they are destroyed last.
struct Assembly {
  Assembly(LoadedConfig config, const World& ranks);

  LoadedConfig loaded;
  std::unique_ptr<Communicator> tree_gradients, tree_control;  // of a deterministic run
  World world;
  std::unique_ptr<ModelDirectory> directory;
  Datasets data;
  std::unique_ptr<WorldStatistics> batch_statistics;
  std::unique_ptr<Sampler> sampler;
  std::unique_ptr<Margins> margins;  // null: train.record_margins is off
  Update update;
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<Checkpoints> checkpoints;
  std::unique_ptr<Telemetry> telemetry;
  std::unique_ptr<Trainer> trainer;
  std::shared_ptr<const Plugins> plugins;  // null: none
  NamedFiles files;                        // beside the weights in every checkpoint
  NamedFiles adapter_files;                // beside the exported weights of adapters
  nlohmann::json model_files;              // checksums of what the run starts from
  std::string base_checksum;               // of the frozen weights that no checkpoint brings back; "": there are none
  int64_t total_steps = 0;
  int64_t global_batch_size = 0;

  const RunConfig& config() const { return loaded.config; }
  Learner& learner() const { return *update.learner; }
};

// What opens the data of a run: open_datasets(), or a part of what that gives.
using OpenDatasets = std::function<Datasets(const LoadedConfig&, const ModelDirectory&, Communicator& control)>;

// Every rank calls; errors are the same on all of them.
std::unique_ptr<Assembly> assemble(LoadedConfig loaded, const World& world, const OpenDatasets& open = open_datasets);

// Resumes from the newest checkpoint, if there is one, then fills the caches of freeze.cache. Every rank calls, before
// run.trainer->run().
void resume(Assembly& run);

// Of eval.explain; null: nobody asks. ConfigError where the task has none.
std::unique_ptr<Explaining> explaining_of(const Assembly& run);

// The trainer's parts from the run, with the run's schedule or another.
TrainerParts parts_of(Assembly& run, Schedule& schedule);

}  // namespace sft
