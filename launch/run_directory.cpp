#include "launch/run_directory.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/mark.h"
#include "base/output_file.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/starts.h"
#include "trainer/assembly/ended_run.h"
#include "trainer/config/training_keys.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

void move_aside(const std::string& directory) {
  const std::string old = concat(fs::path(directory).lexically_normal().string(), ".old-", std::time(nullptr));
  real_files().rename(directory, old);
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

// What a run writes; checkpoint-<step> beside them.
const StringList kNames{"config.toml", "metrics.jsonl", "summary.json", "exit_status", "predictions.jsonl",
                        "report.html", "trace.json",    "events",       "model",       "latest"};

// What a run of this config reads.
StringList read_by(const RunConfig& config) {
  StringList paths{config.model.model_name_or_path};
  for (const StringList* patterns : {&config.data.train_file, &config.data.validation_file, &config.data.test_file}) {
    const StringList files = expand_files(*patterns, "data", {}, accepted_by(config.model.task));
    paths.insert(paths.end(), files.begin(), files.end());
  }
  return paths;
}

// The run would write over them.
void refuse_over_inputs(const RunConfig& config) {
  for (const std::string& input : read_by(config))
    for (const std::string& name : kNames)
      if (const std::string path = config.output_dir + "/" + name; is_same_file(input, path))
        throw ConfigError(concat(in_quotes(input, 400), " is read by this run, which would replace it as ", path,
                                 "; name another output_dir"));
}

// Moving the directory aside would take them from under the run.
void refuse_to_move_inputs(const RunConfig& config) {
  for (const std::string& input : read_by(config))
    if (fs::exists(input) && lies_in(input, config.output_dir))
      throw ConfigError(concat(
          in_quotes(input, 400),
          " is read by this run and lies in its output_dir, which overwrite_output_dir = true would move aside"));
}

// Whether the directory holds more than locks and the exit code of a start that never trained.
bool holds_a_run(const std::string& directory) {
  if (!fs::is_directory(directory)) return fs::exists(directory);
  return std::any_of(fs::directory_iterator(directory), fs::directory_iterator(), [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return !name.starts_with(".") && name != "exit_status";
  });
}

// Whether the run in the directory is of the same training and has not ended.
bool goes_on(const RunConfig& config) {
  if (read_ended_run(config.output_dir)) return false;
  try {
    return training_keys_of(kept_config(config.output_dir)) == training_keys_of(config);
  } catch (const ConfigError&) {
    return false;
  }
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

void take_directory(const std::string& directory, const StringList& names) {
  real_files().make_directory(directory);
  if (mark_of(directory)) return;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("checkpoint-") || std::ranges::find(names, name) != names.end())
      throw ConfigError(concat("output_dir ", in_quotes(directory, 400), " holds ", in_quotes(name),
                               ", which this program did not make (there is no ", kMarkName,
                               " beside it). Name another output_dir, or move what is there"));
  }
  leave_mark(real_files(), directory, {{"is", "run"}});
}

std::unique_ptr<RunLock> claim_run_directory(const LoadedConfig& loaded, Communicator& control) {
  const RunConfig config = resolved(loaded, control.size());
  const std::string& directory = config.output_dir;
  std::unique_ptr<RunLock> lock;
  together(control, [&] {
    if (control.rank() != 0) return;
    refuse_over_inputs(config);
    if (config.overwrite_output_dir && holds_a_run(directory)) {
      const RunLock still_free(directory);
      if (!goes_on(config)) {
        refuse_to_move_inputs(config);
        move_aside(directory);
      }
    }
    take_directory(directory, kNames);
    lock = std::make_unique<RunLock>(directory);
    fs::remove(directory + "/exit_status");  // an end by SIGKILL must not leave an earlier one's
    count_start(directory);
  });
  return lock;
}

void keep_config(const LoadedConfig& loaded, Communicator& control) {
  const RunConfig config = resolved(loaded, control.size());
  together(control, [&] {
    if (control.rank() == 0) write_atomically(real_files(), config.output_dir + "/config.toml", to_toml(config));
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
