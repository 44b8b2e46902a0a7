#include "launch/run_directory.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/ownership.h"
#include "trainer/assembly/ended_run.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/config/training_keys.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// By the second; two of one second are numbered.
// Of a link, what it leads to is moved, and the link stays: the new run is to lie where it leads.
void move_aside(const std::string& named) {
  const std::string directory = fs::canonical(named).string();
  const std::string at = concat(directory, ".old-", std::time(nullptr));
  std::string old = at;
  std::error_code ignored;
  for (int k = 2; fs::exists(fs::symlink_status(old, ignored)); ++k) old = concat(at, ".", k);
  real_files().rename(directory, old);
  real_files().make_directory(directory);
  log::info(concat("the old run was moved aside to ", old));
}

// One batch size, so that the written config says nothing twice.
RunConfig resolved(const LoadedConfig& loaded, int world) {
  RunConfig config = loaded.config;
  config.train.global_batch_size = resolve_global_batch_size(config, loaded.origins, world);
  config.train.per_device_train_batch_size = config.train.gradient_accumulation_steps = 0;
  return config;
}

nlohmann::json training_keys_of(const RunConfig& config) {
  return training_keys(config, config.train.global_batch_size, "");
}

// Whether the directory holds more than locks and the exit code of a start that never trained.
bool holds_a_run(const std::string& directory) {
  if (!fs::is_directory(directory)) return fs::exists(directory);
  return std::any_of(fs::directory_iterator(directory), fs::directory_iterator(), [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return !name.starts_with(".") && name != "exit_status";
  });
}

// Whether the run in the directory is of the same training. What the model's files, or its first day, have settled in
// its config is theirs again.
bool is_of_same_training(const RunConfig& config, const Origins& origins) {
  try {
    RunConfig kept = kept_config(config.output_dir);
    if (config.data.interpolation == "auto") kept.data.interpolation = "auto";
    if (config.data.image_size == 0) kept.data.image_size = 0;
    if (config.data.mean.empty()) kept.data.mean.clear();
    if (config.data.chat.date.empty()) kept.data.chat.date.clear();
    if (!origins.contains("data.truncation")) kept.data.truncation = config.data.truncation;
    return training_keys_of(kept) == training_keys_of(config);
  } catch (const ConfigError&) {
    return false;
  }
}

// Whether the run in the directory is this one, unfinished: begun, or trained further from checkpoints that are there.
bool goes_on(const RunConfig& config, const Origins& origins) {
  const std::string& directory = config.output_dir;
  if (read_ended_run(directory) || (read_last_end(directory) && steps_to_resume(directory).empty())) return false;
  return is_of_same_training(config, origins);
}

}  // namespace

bool holds_training_of(const LoadedConfig& loaded, int world) {
  return is_of_same_training(resolved(loaded, world), loaded.origins);
}

std::unique_ptr<RunLock> claim_run_directory(const LoadedConfig& loaded, Communicator& control) {
  const RunConfig config = resolved(loaded, control.size());
  const std::string& directory = config.output_dir;
  std::unique_ptr<RunLock> lock;
  together(control, [&] {
    if (control.rank() != 0) return;
    refuse_over_inputs(config);
    if (config.overwrite_output_dir && holds_a_run(directory) && is_own(directory)) {
      const RunLock still_free(directory);
      if (!goes_on(config, loaded.origins)) {
        refuse_to_move_inputs(config);
        move_aside(directory);
      }
    }
    take_run_directory(directory);
    lock = std::make_unique<RunLock>(directory);
  });
  return lock;
}

void keep_config(const LoadedConfig& loaded, Communicator& control) {
  const RunConfig config = resolved(loaded, control.size());
  together(control, [&] {
    if (control.rank() != 0) return;
    reopen_summary(config.output_dir);
    write_atomically(real_files(), config.output_dir + "/config.toml", to_toml(config));
  });
}

RunConfig kept_config(const std::string& run_directory) {
  RunConfig config;
  Origins origins;
  load_file(bind_fields(config), run_directory + "/config.toml", origins);
  return config;
}

LoadedConfig load_run(const std::string& target, const std::vector<std::string>& overrides) {
  if (!fs::is_directory(target)) return load_run_config(target, overrides);
  if (!fs::exists(fs::path(target) / "config.toml"))
    throw ConfigError(concat(target, " is no run directory: it holds no config.toml"));
  LoadedConfig loaded = load_run_config((fs::path(target) / "config.toml").string(), overrides);
  loaded.config.output_dir = target;
  return loaded;
}

std::string stem_of_run(const std::string& directory_or_config) {
  const fs::path path = fs::path(directory_or_config).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).stem().string();
}

namespace {

// A model/ beside such an adapter/ is of an earlier end.
bool exports_adapters_alone(const std::string& run_directory) {
  try {
    return kept_config(run_directory).lora.exports == "adapter";
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace

std::string exported_by(const std::string& run_directory) {
  const bool adapter_first = exports_adapters_alone(run_directory);
  for (const char* name : {adapter_first ? "adapter" : "model", adapter_first ? "model" : "adapter"})
    if (const fs::path path = fs::path(run_directory) / name; fs::is_directory(path)) return path.string();
  return "";
}

std::string checkpoint_directory(const RunConfig& config, const std::string& which) {
  if (which != "best" && which != "last") {
    if (fs::is_directory(which)) return which;
    if (fs::is_directory(config.output_dir + "/" + which)) return config.output_dir + "/" + which;
    throw ConfigError(concat("--checkpoint ", in_quotes(which), ": wanted best, last or a checkpoint directory"));
  }
  const std::string model = exported_by(config.output_dir);
  if (which == "best" && config.eval.load_best_model_at_end && !model.empty()) return model;
  const std::vector<int64_t> steps = steps_to_resume(config.output_dir);
  if (!steps.empty()) {
    const std::string last = checkpoint_path(config.output_dir, steps.front());
    if (which == "last") return last;
    const auto state = nlohmann::json::parse(read_file(last + "/trainer_state.json"), nullptr, false);
    const std::string best = state.is_object() ? state.value("best_model_checkpoint", "") : "";
    return best.empty() ? last : config.output_dir + "/" + best;
  }
  if (!model.empty()) return model;
  throw ConfigError(concat(config.output_dir, " holds no checkpoint and no model/; has the run been started?"));
}

}  // namespace sft
