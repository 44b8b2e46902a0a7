// The whole config of a run: every section by its owner's own struct, and the checks that no owner
// can make alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config_file.h"
#include "base/schema.h"
#include "comm/comm_config.h"
#include "data/prepare/data_config.h"
#include "data/readers/input_files.h"
#include "trainer/adapters/freeze.h"
#include "trainer/adapters/lora_config.h"
#include "trainer/checkpoint/save_config.h"
#include "trainer/config/eval_config.h"
#include "trainer/config/train_config.h"
#include "trainer/models/model_config.h"
#include "trainer/optim/optim_config.h"
#include "trainer/parallel/parallel_config.h"
#include "trainer/tasks/generate_config.h"
#include "trainer/tasks/tasks.h"
#include "trainer/telemetry/hooks_config.h"
#include "trainer/telemetry/log_config.h"

namespace sft {

struct RunConfig {
  RunConfig();  // with the settings that tasks declare in sections

  std::string output_dir;
  int64_t seed = 42;
  bool deterministic = false;
  std::string resume_from_checkpoint = "auto";
  bool overwrite_output_dir = false;
  std::string device = "auto";
  int64_t threads = 0;
  StringList plugins;
  ModelConfig model;
  FreezeConfig freeze;
  LoraConfig lora;
  DataConfig data;
  TrainConfig train;
  OptimConfig optim;
  SchedulerConfig scheduler;
  EvalConfig eval;
  GenerateConfig generate;
  SaveConfig save;
  LogConfig log;
  HooksConfig hooks;
  CommConfig comm;
  ParallelConfig parallel;
  Table sweep = Table::object();

  static constexpr auto fields() {
    return std::tuple{
        field("output_dir", &RunConfig::output_dir, "the run directory: everything a run leaves is in it", Path{})
            .changeable(),
        field("seed", &RunConfig::seed, "of initialisation, order and dropout", at_least(int64_t{0})),
        field("deterministic", &RunConfig::deterministic, "the same bits on a repeat and on 1, 2, 4 and 8 ranks"),
        field("resume_from_checkpoint", &RunConfig::resume_from_checkpoint,
              "auto (the newest in output_dir), none, or a checkpoint directory", Path{})
            .changeable(),
        field("overwrite_output_dir", &RunConfig::overwrite_output_dir,
              "true: a finished run, or one of other training, is moved aside, never deleted; its own unfinished one "
              "goes on")
            .changeable(),
        field("device", &RunConfig::device, "what computes; auto: a GPU where there is one",
              one_of("auto", "cuda", "cpu").alias("gpu", "cuda"))
            .changeable(),
        field("threads", &RunConfig::threads,
              "a rank; 0: the cores this rank may run on, shared with ranks bound to the same", at_least(int64_t{0}))
            .changeable(),
        field("plugins", &RunConfig::plugins,
              "shared objects with losses and metrics of your own, which train.loss and eval.metrics then take "
              "(docs/plugins.md)",
              Path{})
            .changeable(),
        section("model", &RunConfig::model),
        section("freeze", &RunConfig::freeze),
        section("lora", &RunConfig::lora),
        section("data", &RunConfig::data),
        section("train", &RunConfig::train),
        section("optim", &RunConfig::optim),
        section("scheduler", &RunConfig::scheduler),
        section("eval", &RunConfig::eval).changeable(),
        section("generate", &RunConfig::generate).changeable(),
        section("save", &RunConfig::save).changeable(),
        section("log", &RunConfig::log).changeable(),
        section("hooks", &RunConfig::hooks).changeable(),
        section("comm", &RunConfig::comm).changeable(),
        section("parallel", &RunConfig::parallel),
        field("sweep", &RunConfig::sweep,
              "only for `sft-dist sweep`, whose --help explains them: method, parameters, num_trials, "
              "num_startup_trials, trials_per_round, pruning")
            .changeable()};
  }
};

struct LoadedConfig {
  RunConfig config;
  Origins origins;                    // which keys the user set, and where
  std::vector<std::string> warnings;  // keys without effect under the other settings
};

// Reads the file (and what it includes), applies the overrides ("optim.learning_rate=1e-4",
// "--learning_rate", "1e-4"), checks every field and what the fields say together, and that the
// named files exist. ConfigError names file:line and key. eval_strategy is never auto afterwards,
// and load_best_model_at_end is true where early stopping needs it.
LoadedConfig load_run_config(const std::string& path, const std::vector<std::string>& overrides = {});

// Rows of one update: global_batch_size, or per_device_train_batch_size × gradient_accumulation_steps
// × world. ConfigError where both are given and differ. A config that is written down holds the
// result alone, so that it means the same update on another number of ranks.
int64_t resolve_global_batch_size(const RunConfig& config, const Origins& origins, int world);

// Whether there are rows to evaluate during training.
bool has_validation_data(const RunConfig& config);

// Whether the files of the data of model.task may be folders.
Accepts accepted_by(const std::string& task);

// "2d", "3h30m", "45m", "90s" in seconds; 0 for "". ConfigError otherwise, in which `what` is the key.
double seconds_of(const std::string& duration, const std::string& what);

// A `*_steps` value as updates: itself, or below 1 that share of `total`, rounded up as Hugging Face does.
int64_t steps_of(double value, int64_t total);

}  // namespace sft
