#include "launch/verify_model.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"
#include "base/mark.h"
#include "base/progress.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/loaded_model.h"
#include "launch/read_as.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/export_directory.h"
#include "trainer/model_files/keras_weights.h"
#include "trainer/model_files/pretrained.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

std::string counted(size_t count, const char* noun) {
  return concat(human_count(static_cast<double>(count)), " ", noun, count == 1 ? "" : "s");
}

// Endings of files that hold weights.
bool holds_weights(const std::string& name) {
  const std::string ending = fs::path(name).extension().string();
  return ending == ".safetensors" || ending == ".h5" || ending == ".keras";
}

// Of what bears a mark with checksums: settings may be changed or removed by hand, weights may not.
std::string compare_with_mark(const std::string& directory) {
  const auto mark = mark_of(directory);
  if (!mark || !mark->contains("files")) return "checksums: none stand beside these files\n";
  StringList changed;
  for (const auto& [name, checksum] : (*mark)["files"].items()) {
    const fs::path path = fs::path(directory) / name;
    const bool is_there = fs::exists(path);
    if (is_there && checksum == crc32c_of_file(path)) continue;
    if (holds_weights(name))
      throw DataError(concat(path.string(), is_there ? " is not as it was exported: its checksum is another one"
                                                     : " is missing: this program exported it with the others"));
    changed.push_back(is_there ? name : name + " (missing)");
  }
  const std::string all = counted((*mark)["files"].size(), "file");
  return changed.empty() ? concat("checksums: ", all, " as this program exported them\n")
                         : concat("checksums: of ", all, " changed since the export: ", join(changed, ", "), "\n");
}

// The bytes of the tensor.
int64_t require_finite(const TensorRef& tensor, const std::string& file) {
  beat();
  if (const std::string what = not_finite_in(tensor); !what.empty()) throw DataError(concat(file, ": ", what));
  return tensor.bytes;
}

// A tensor that no index names is never loaded.
size_t require_named_tensors(const WeightFiles& weights) {
  std::set<std::string> paths;
  for (const std::string& name : weights.names()) paths.insert(weights.path_of(name));
  for (const std::string& path : paths) {
    if (!fs::is_regular_file(path) || fs::path(path).extension() == ".h5") continue;
    const std::unique_ptr<TensorFile> file = open_tensor_file(path);
    for (const TensorRef& tensor : file->tensors())
      if (weights.find(tensor.name) == nullptr || weights.path_of(tensor.name) != path)
        throw DataError(concat(path, ": the index does not name tensor ", in_quotes(tensor.name),
                               " of this file, so it is never loaded"));
  }
  return paths.size();
}

bool has_ending(const std::string& directory, const char* ending) {
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == ending) return true;
  return false;
}

// Whatever adapter_config.json says: kinds that are not built have tensors too.
std::string look_through_adapter(const std::string& path) {
  const std::unique_ptr<TensorFile> file = open_tensor_file(path);
  int64_t bytes = 0;
  for (const TensorRef& tensor : file->tensors()) bytes += require_finite(tensor, path);
  return concat("weights: ", counted(file->tensors().size(), "tensor"), ", ", human_bytes(static_cast<double>(bytes)),
                ", all finite\n");
}

std::string look_through_weights(const std::string& directory) {
  if (const std::string path = adapter_weights_in(directory); !path.empty()) return look_through_adapter(path);
  if (!has_weight_files(directory) && fs::exists(fs::path(directory) / kAdapterConfig))
    throw DataError(concat(directory, ": ", kAdapterConfig, " stands without its weights, ", kAdapterWeights));
  if (!has_weight_files(directory) && has_ending(directory, ".h5"))
    return "weights: not judged, as only a Keras file (.h5) has them\n";
  const WeightFiles weights(directory);
  const size_t files = require_named_tensors(weights);
  int64_t bytes = 0;
  for (const std::string& name : weights.names()) bytes += require_finite(*weights.find(name), weights.path_of(name));
  return concat("weights: ", counted(weights.names().size(), "tensor"), " in ", counted(files, "file"), ", ",
                human_bytes(static_cast<double>(bytes)), ", all finite\n");
}

// What keeps config.json from being compared with the weights; "" where nothing does.
std::string why_not_built(const nlohmann::json& config) {
  const StringList built = model_types();
  const nlohmann::json type = config.value("model_type", nlohmann::json());
  if (type.is_string() && std::ranges::find(built, type.get<std::string>()) != built.end()) return "";
  return concat("config.json's model_type ", type.dump(), " is not built here");
}

bool says_labels(const nlohmann::json& config) { return config.contains("id2label") || config.contains("num_labels"); }

// Of a model without a head, as pretraining leaves it.
LoadReport load_backbone(const ModelDirectory& directory) {
  const auto files = open_weights(directory.path(), directory.config());
  const auto model = make_model(directory.config(), {.file_names = names_without_copies(*files)});
  return load_pretrained(files, *model, model->parameters(), {.is_frozen = [](const Parameter&) { return true; }});
}

std::string told(const LoadReport& report, const std::string& what) {
  if (const std::string lacks = what_trunk_lacks(report); !lacks.empty()) throw DataError(lacks);
  std::string text = concat("shapes: ", what, " as config.json says\n");
  if (!report.missing.empty())
    text += concat("not in the files, and made anew by who loads them: ", join(report.missing, ", "), "\n");
  if (!report.unexpected.empty())
    text += concat("not judged, as no task here reads them: ", join(report.unexpected, ", "), "\n");
  return text;
}

std::string told_of_tokenizer(const LoadedModel& model) {
  const auto limits = model.learner->model().text_limits();
  if (!limits || !model.tokenizer) return "";
  const int64_t ids = model.tokenizer->vocab_size();
  if (ids > limits->vocab_size)
    throw DataError(concat(model.directory->path(), ": the tokenizer gives ids up to ", ids - 1,
                           ", and the model has ", limits->vocab_size, " embeddings; they are not of one model"));
  return concat("tokenizer: ", ids, " ids, and the model has ", limits->vocab_size, " embeddings\n");
}

// Whether a backbone alone is there.
bool is_headless(const ModelDirectory& directory, const RunConfig& config) {
  return directory.adapter().empty() && has_names(task_named(config.model.task).target) &&
         !says_labels(directory.config());
}

// Collective: names, shapes and ids of the tokenizer. Rank 0 gets the text. An error is every rank's, the same one.
std::string compare_with_config(const std::string& directory, Job& job) {
  std::string text, why_not;
  RunConfig config;
  bool headless = false;
  together(job.control(), [&] {
    const ModelDirectory model(directory);
    why_not = why_not_built(model.config());
    if (!why_not.empty()) return;
    config = settings_of_model(model);
    headless = is_headless(model, config);
    if (headless && job.control().rank() == 0)
      text = told(load_backbone(model), "below the head") + "the head: config.json names no labels\n";
  });
  if (!why_not.empty()) return concat("shapes and tokenizer: not judged, as ", why_not, "\n");
  if (headless) return text + "tokenizer: not judged without a task\n";
  const LoadedModel loaded = load_model(directory, config, job.world("cpu", config.threads, config.comm));
  together(job.control(), [&] {
    text = told(loaded.report, concat("of a model for ", config.model.task, ",")) + told_of_tokenizer(loaded);
  });
  return text;
}

}  // namespace

bool is_model_directory(const std::string& directory) {
  const auto has = [&](const char* name) { return fs::is_regular_file(fs::path(directory) / name); };
  return !has("config.toml") && !has(kManifestName) && (has("config.json") || has(kAdapterConfig));
}

std::string adapter_weights_in(const std::string& directory) {
  // Beside a whole model it is nothing that anybody loads.
  if (!fs::exists(fs::path(directory) / kAdapterConfig) && has_weight_files(directory)) return "";
  for (const char* name : {kAdapterWeights, "adapter_model.bin"})
    if (const fs::path path = fs::path(directory) / name; fs::exists(path)) return path.string();
  return "";
}

bool has_weight_files(const std::string& directory) {
  for (const char* name : {"model.safetensors", "pytorch_model.bin"})
    for (const char* ending : {"", ".index.json"})
      if (fs::exists(fs::path(directory) / concat(name, ending))) return true;
  return has_ending(directory, ".pth");
}

std::string verified_model(const std::string& directory, Job& job) {
  std::string text;
  together(job.control(), [&] {
    if (job.control().rank() != 0) return;
    text = compare_with_mark(directory);
    text += look_through_weights(directory);
  });
  try {
    return text + compare_with_config(directory, job);
  } catch (const Error& error) {
    // Only what all ranks have: of an error of this rank alone the others know nothing, and they would wait.
    if (error.code() != ExitCode::config || error.reach() != Reach::everywhere) throw;
    return concat(text, "shapes and tokenizer: not judged, as ", error.what(), "\n");
  }
}

}  // namespace sft
