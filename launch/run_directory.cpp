#include "launch/run_directory.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

void move_aside(const std::string& directory) {
  if (!fs::exists(directory) || fs::is_empty(directory)) return;
  const std::string old = concat(fs::path(directory).lexically_normal().string(), ".old-", std::time(nullptr));
  real_files().rename(directory, old);
  log::info(concat("the old run was moved aside to ", old));
}

// Steps of checkpoint-<step> directories, newest first.
std::vector<int64_t> checkpoint_steps(const std::string& run) {
  std::vector<int64_t> steps;
  for (const auto& entry : fs::directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    const std::string number = name.starts_with("checkpoint-") ? name.substr(11) : "";
    if (!number.empty() && std::all_of(number.begin(), number.end(), ::isdigit)) steps.push_back(std::stoll(number));
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

}  // namespace

std::unique_ptr<RunLock> claim_run_directory(const LoadedConfig& loaded, Communicator& control) {
  const RunConfig& config = loaded.config;
  RunConfig resolved = config;  // one batch size, so that the written config says nothing twice
  resolved.train.global_batch_size = resolve_global_batch_size(config, loaded.origins, control.size());
  resolved.train.per_device_train_batch_size = resolved.train.gradient_accumulation_steps = 0;
  std::unique_ptr<RunLock> lock;
  together(control, [&] {
    if (control.rank() != 0) return;
    if (config.overwrite_output_dir) {
      if (fs::exists(config.output_dir)) RunLock still_free(config.output_dir);
      move_aside(config.output_dir);
    }
    real_files().make_directory(config.output_dir);
    lock = std::make_unique<RunLock>(config.output_dir);
    write_atomically(real_files(), config.output_dir + "/config.toml", to_toml(resolved));
  });
  return lock;
}

LoadedConfig load_run(const std::string& target, const std::vector<std::string>& overrides) {
  if (!fs::is_directory(target)) return load_run_config(target, overrides);
  if (!fs::exists(fs::path(target) / "config.toml"))
    throw ConfigError(concat(target, " is no run directory: it holds no config.toml"));
  LoadedConfig loaded = load_run_config((fs::path(target) / "config.toml").string(), overrides);
  loaded.config.output_dir = target;
  return loaded;
}

std::string checkpoint_directory(const RunConfig& config, const std::string& which) {
  if (which != "best" && which != "last") {
    if (fs::is_directory(which)) return which;
    if (fs::is_directory(config.output_dir + "/" + which)) return config.output_dir + "/" + which;
    throw ConfigError(concat("--checkpoint ", in_quotes(which), ": wanted best, last or a checkpoint directory"));
  }
  const std::string model = config.output_dir + "/model";
  if (which == "best" && config.eval.load_best_model_at_end && fs::is_directory(model)) return model;
  const std::vector<int64_t> steps =
      fs::is_directory(config.output_dir) ? checkpoint_steps(config.output_dir) : std::vector<int64_t>{};
  if (!steps.empty()) {
    const std::string last = concat(config.output_dir, "/checkpoint-", steps.front());
    if (which == "last") return last;
    const auto state = nlohmann::json::parse(read_file(last + "/trainer_state.json"), nullptr, false);
    const std::string best = state.is_object() ? state.value("best_model_checkpoint", "") : "";
    return best.empty() ? last : config.output_dir + "/" + best;
  }
  if (fs::is_directory(model)) return model;
  throw ConfigError(concat(config.output_dir, " holds no checkpoint and no model/; has the run been started?"));
}

}  // namespace sft
