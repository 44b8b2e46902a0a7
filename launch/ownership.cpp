#include "launch/ownership.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/mark.h"
#include "base/output_file.h"
#include "base/text.h"
#include "launch/run_directory.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/model_files/adapter_files.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// What a run writes. Not its checkpoints, which take no name from another one, and not exit_status, which holds a
// number alone and is left by starts that were refused.
constexpr char kReport[] = "report.html";
const StringList kOfRun{"config.toml",   "metrics.jsonl", "summary.json", "predictions.jsonl",
                        "margins.jsonl", "report.html",   "trace.json",   "events",
                        "model",         "adapter",       "latest"};
const StringList kOfSweep{"sweep.csv", "report.html"};

bool has_valid_manifest(const std::string& checkpoint) {
  const std::string path = checkpoint + "/" + kManifestName;
  try {
    parse_manifest(read_file(path), path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool has_config(const std::string& directory) {
  try {
    kept_config(directory);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool has_summary(const std::string& directory) {
  const std::string path = directory + "/summary.json";
  if (!fs::is_regular_file(path)) return false;
  const auto summary = nlohmann::json::parse(read_file(path), nullptr, false);
  return summary.is_object() && summary.contains("exit_reason") && summary.contains("total_steps");
}

// A run writes config.toml before the first line of its log, and holds the lock, a file with a number, while it does.
bool has_log_of_run(const std::string& directory) {
  const std::string log = directory + "/metrics.jsonl", lock = directory + "/.lock";
  if (!fs::is_regular_file(log) || fs::file_size(log) == 0 || !fs::is_regular_file(lock)) return false;
  const std::string number = read_file(lock);
  return number.size() > 1 && number.find_first_not_of("0123456789\n") == number.npos;
}

// As builds left it that made no marks.
bool is_earlier_run(const std::string& directory) {
  for (const int64_t step : list_run(directory).steps)
    if (has_valid_manifest(checkpoint_path(directory, step))) return true;
  return has_config(directory) && (has_summary(directory) || has_log_of_run(directory));
}

bool is_own_run(const std::string& directory) {
  const auto mark = mark_of(directory);
  return (mark && mark->value("is", "") == "run") || is_earlier_run(directory);
}

bool is_own_sweep(const std::string& directory) {
  const auto mark = mark_of(directory);
  if (mark && mark->value("is", "") == "sweep") return true;
  if (!fs::is_regular_file(directory + "/sweep.csv")) return false;
  return std::any_of(fs::directory_iterator(directory), fs::directory_iterator(),
                     [](const auto& entry) { return entry.is_directory() && is_own_run(entry.path().string()); });
}

// What starts leave that were refused, a lock and a number: anything else under their names is somebody's.
bool is_foreign_number(const std::string& path) {
  if (std::error_code none; !fs::exists(fs::symlink_status(path, none))) return false;
  return !fs::is_regular_file(path) || read_file(path).find_first_not_of("0123456789\n") != std::string::npos;
}

// Likewise, of the count of starts.
bool is_foreign_count(const std::string& path) {
  if (std::error_code none; !fs::exists(fs::symlink_status(path, none))) return false;
  if (!fs::is_regular_file(path)) return true;
  const auto count = nlohmann::json::parse(read_file(path), nullptr, false);
  return !count.is_object() || !count.contains("starts");
}

StringList names_of_others(const std::string& directory, const StringList& names) {
  StringList found;
  for (const std::string& name : names)
    if (std::error_code none; fs::exists(fs::symlink_status(directory + "/" + name, none))) found.push_back(name);
  for (const char* name : {".lock", "exit_status"})
    if (is_foreign_number(concat(directory, "/", name))) found.emplace_back(name);
  if (is_foreign_count(directory + "/.starts")) found.emplace_back(".starts");
  return found;
}

// What this program made at `directory`, in words, where all of it is its own and may be replaced or removed; or "".
std::string wholly_ours(const std::string& directory) {
  if (has_valid_manifest(directory)) return "a checkpoint";
  const auto mark = mark_of(directory);
  const std::string kind = mark ? mark->value("is", "") : "";
  if (kind == "model") return "a model that this program left";
  return kind.empty() || kind == "run" || kind == "sweep" ? "" : "what this program makes for itself and removes";
}

// Of what a run makes beside its files: checkpoints, and what is not yet one or no more.
bool is_name_of_checkpoint(const std::string& name) {
  constexpr std::string_view kStem = "checkpoint-";
  for (const std::string_view hidden : {".tmp-", ".trash-"})
    if (name.starts_with(concat(hidden, kStem))) return true;
  if (!name.starts_with(kStem)) return false;
  const std::string_view rest = std::string_view(name).substr(kStem.size());
  const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const std::string_view behind = rest.substr(digits);
  return digits > 0 && (behind.empty() || behind.starts_with(".corrupt-") || behind.starts_with(".replaced-"));
}

// Whether the run or the sweep in `directory` has the name for a file of its own.
bool is_reserved(const std::string& name, const std::string& directory) {
  const auto mark = mark_of(directory);
  const std::string kind = mark ? mark->value("is", "") : "";
  if (kind != "run" && kind != "sweep") return false;
  const StringList& names = kind == "run" ? kOfRun : kOfSweep;
  const StringList hidden{".lock", ".starts", ".predictions", kMarkName, "exit_status"};
  return std::ranges::find(hidden, name) != hidden.end() || std::ranges::find(names, name) != names.end() ||
         (kind == "run" && is_name_of_checkpoint(name));
}

void refuse_wholly_ours(const std::string& option, const std::string& path) {
  std::error_code none;
  for (fs::path above = fs::weakly_canonical(fs::absolute(path), none).parent_path(); above.has_relative_path();
       above = above.parent_path())
    if (const std::string what = wholly_ours(above.string()); !what.empty())
      throw ConfigError(concat(option, " ", in_quotes(path, 400), " would be in ", in_quotes(above.string(), 400), ", ",
                               what, ": it would go with it, or spoil it; name another place"));
}

void take(const std::string& directory, const char* kind, StringList names) {
  if (!is_own(directory)) refuse_among_ours("output_dir", directory, {});
  real_files().make_directory(directory);
  if (mark_of(directory)) return;
  for (const char* name : {kMarkName, ".predictions"}) names.emplace_back(name);
  if (!is_own(directory))
    for (const std::string& name : names_of_others(directory, names))
      throw ConfigError(concat("output_dir ", in_quotes(directory, 400), " holds ", in_quotes(name),
                               ", which this program did not make (there is no ", kMarkName,
                               " beside it). Name another output_dir, or move what is there"));
  leave_mark(real_files(), directory, {{"is", kind}});
}

// Of the adapter in the directory; "" where it is none, or does not say.
std::string base_under(const std::string& adapter) {
  try {
    return fs::exists(fs::path(adapter) / kAdapterConfig) ? read_adapter_settings(adapter).base : "";
  } catch (const Error&) {  // told when it is loaded
    return "";
  }
}

}  // namespace

StringList read_by(const RunConfig& config) {
  const ModelConfig& model = config.model;
  StringList paths;
  for (const std::string& path :
       {model.model_name_or_path, model.adapter, base_under(model.model_name_or_path), config.data.chat.chat_template})
    if (!path.empty()) paths.push_back(path);
  for (const StringList* files : {&config.data.train_file, &config.data.validation_file, &config.data.test_file})
    paths.insert(paths.end(), files->begin(), files->end());
  return paths;
}

namespace {

// Whether a run, an export or a sweep left the file.
bool is_left_by_us(const fs::path& file) {
  const std::string directory = file.parent_path().string(), name = file.filename().string();
  if (has_valid_manifest(directory)) return true;
  const auto mark = mark_of(directory);
  if (!mark) return false;
  const std::string kind = mark->value("is", "");
  if (kind == "model" || name == kMarkName) return true;
  if (name == ".starts" || name.starts_with(".lock")) return true;
  const StringList& names = kind == "sweep" ? kOfSweep : kOfRun;
  return name != kReport && (name == "exit_status" || std::ranges::find(names, name) != names.end());
}

// `input` may be a pattern.
bool leads_to(const std::string& input, const std::string& directory, const std::string& name) {
  const fs::path pattern(input);
  return is_same_file(input, directory + "/" + name) ||
         (is_same_file(pattern.has_parent_path() ? pattern.parent_path() : ".", directory) &&
          ::fnmatch(pattern.filename().c_str(), name.c_str(), 0) == 0);
}

}  // namespace

void refuse_among_ours(const std::string& option, const std::string& path, const StringList& inputs) {
  refuse_wholly_ours(option, path);
  std::error_code none;
  fs::path at = fs::weakly_canonical(fs::absolute(path), none);
  for (fs::path above = at.parent_path(); above.has_relative_path(); at = above, above = above.parent_path())
    if (is_reserved(at.filename().string(), above.string()))
      throw ConfigError(concat(option, " ", in_quotes(path, 400), ": ", in_quotes(at.filename().string()),
                               " is a name that the run in ", in_quotes(above.string(), 400),
                               " gives a file of its own, and replaces; name another place"));
  for (const std::string& input : inputs)
    if (fs::is_directory(input, none) && lies_in(path, input))
      throw ConfigError(concat(option, " ", in_quotes(path, 400), " would be in ", in_quotes(input, 400),
                               ", which is read by this command, or by the run; name another place"));
}

bool is_own(const std::string& directory) {
  return fs::is_directory(directory) && (is_own_run(directory) || is_own_sweep(directory));
}

void take_run_directory(const std::string& directory) { take(directory, "run", kOfRun); }

void take_sweep_directory(const std::string& directory) { take(directory, "sweep", kOfSweep); }

std::string output_beside_runs(const std::string& option, const std::string& path, const StringList& inputs) {
  const std::string target = output_file(option, path, inputs);
  if (std::error_code none; !fs::exists(target, none)) refuse_wholly_ours(option, target);
  for (const std::string& input : inputs)
    if (const fs::path file(target); fs::exists(file) && leads_to(input, file.parent_path(), file.filename()))
      throw ConfigError(concat(option, ": ", in_quotes(path, 400), " is one of the files that ", in_quotes(input, 400),
                               " stands for, and would be lost; name another file"));
  if (std::error_code none; fs::exists(target, none) && is_left_by_us(target))
    throw ConfigError(concat(option, ": ", in_quotes(path, 400),
                             " is a file that a run has left, and would be lost; name another file"));
  return target;
}

void refuse_over_inputs(const RunConfig& config) {
  for (const std::string& input : read_by(config))
    for (const std::string& name : kOfRun)
      if (leads_to(input, config.output_dir, name))
        throw ConfigError(concat(in_quotes(input, 400), " is read by this run, which would replace it as ",
                                 config.output_dir, "/", name, "; name another output_dir"));
}

void refuse_to_move_inputs(const RunConfig& config) {
  StringList inputs = read_by(config);
  if (config.resume_from_checkpoint != "auto" && config.resume_from_checkpoint != "none")
    inputs.push_back(config.resume_from_checkpoint);
  for (const std::string& input : inputs)
    if (lies_in(input, config.output_dir))
      throw ConfigError(concat(
          in_quotes(input, 400),
          " is read by this run and lies in its output_dir, which overwrite_output_dir = true would move aside"));
}

}  // namespace sft
