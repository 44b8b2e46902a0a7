// The weights of a directory in Hugging Face layout, whether they stand in one file or in several.
#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/checkpoint/plain_name.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/checkpoint/strict_json.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndex = ".index.json";

std::vector<std::string> files_with_ending(const std::string& directory, const std::string& ending) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored))
    if (entry.path().extension() == ending) found.push_back(entry.path().string());
  std::ranges::sort(found);
  return found;
}

// Says what is there instead, and where weights come from.
[[noreturn]] void refuse(const std::string& directory) {
  const std::string wanted = concat("no model.safetensors in ", in_quotes(directory, 400));
  if (!fs::is_directory(directory)) throw ConfigError(concat(wanted, ": there is no such directory"));
  if (const auto several = files_with_ending(directory, ".pth"); several.size() > 1)
    throw ConfigError(concat(wanted, ", and of ", several.size(), " files that end in .pth (", join(several, ", "),
                             ") it is not known which is meant: leave one there"));
  std::vector<std::string> of_keras = files_with_ending(directory, ".h5");
  std::erase_if(of_keras, [](const std::string& file) { return fs::path(file).filename() == "tf_model.h5"; });
  if (!of_keras.empty() || !files_with_ending(directory, ".keras").empty())
    throw ConfigError(concat(wanted, ", only a Keras file; name that file itself as model.model_name_or_path"));
  throw ConfigError(concat(wanted,
                           ", nor a pytorch_model.bin, nor the index of several of either, nor a .pth: it holds no "
                           "weights that can be read; `hf download ORGANISATION/MODEL --local-dir ",
                           directory, "` brings those of a model of the hub"));
}

// The file of all weights, or the index of those that have them.
std::string weights_in(const std::string& directory) {
  for (const char* name : {"model.safetensors", "pytorch_model.bin"})
    for (const std::string& file : {std::string(name), name + std::string(kIndex)})
      if (const fs::path path = fs::path(directory) / file; fs::exists(path)) return path.string();
  const std::vector<std::string> found = files_with_ending(directory, ".pth");
  if (found.size() != 1) refuse(directory);
  return found.front();
}

nlohmann::json read_weight_map(const std::string& path) {
  const nlohmann::json index = parse_strict_json(read_file(path), path);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    throw DataError(concat(path, ": no object 'weight_map' in it"));
  for (const auto& [name, file] : index["weight_map"].items())
    if (!file.is_string() || !is_plain_name(file.get_ref<const std::string&>()))
      throw DataError(concat(path, ": tensor ", in_quotes(name), ": its file must be a plain file name, found ",
                             in_quotes(file.dump())));
  return index["weight_map"];
}

}  // namespace

WeightFiles::WeightFiles(const std::string& directory) {
  const std::string path = weights_in(directory);
  if (path.ends_with(kIndex))
    take_named(path);
  else
    take(open_tensor_file(path));
}

WeightFiles::WeightFiles(std::unique_ptr<TensorFile> file) { take(std::move(file)); }

void WeightFiles::take(std::unique_ptr<TensorFile> file) {
  for (const TensorRef& tensor : file->tensors()) tensors_.emplace(tensor.name, Place{&tensor, file.get()});
  files_.push_back(std::move(file));
}

void WeightFiles::take_named(const std::string& index) {
  std::map<std::string, TensorFile*> opened;
  const nlohmann::json weight_map = read_weight_map(index);
  for (const auto& [name, file] : weight_map.items()) {
    TensorFile*& opened_file = opened[file.get<std::string>()];
    if (opened_file == nullptr) {
      const fs::path path = fs::path(index).parent_path() / file.get<std::string>();
      if (!fs::exists(path))
        throw DataError(concat(index, ": names ", in_quotes(file.get<std::string>()), ", which is missing"));
      opened_file = files_.emplace_back(open_tensor_file(path.string())).get();
    }
    const TensorRef* tensor = opened_file->find(name);
    if (tensor == nullptr)
      throw DataError(concat(index, ": tensor ", in_quotes(name), " is not in ", in_quotes(file.get<std::string>())));
    tensors_.emplace(name, Place{tensor, opened_file});
  }
}

std::vector<std::string> WeightFiles::names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : tensors_) names.push_back(name);
  return names;
}

const TensorRef* WeightFiles::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : found->second.tensor;
}

void WeightFiles::require_unchanged() const {
  for (const auto& file : files_)
    if (!file->is_unchanged())
      throw DataError(concat(file->path(),
                             ": somebody has written to this file while its weights were in use; leave a ",
                             "model alone as long as a run stands on it, or replace it by renaming another"));
}

const std::string& WeightFiles::path_of(const std::string& name) const { return tensors_.at(name).file->path(); }

}  // namespace sft
