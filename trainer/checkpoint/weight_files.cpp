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

bool any_with_extension(const std::string& directory, const std::string& extension) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored))
    if (entry.path().extension() == extension) return true;
  return false;
}

// Says what is there instead, and how to get from it to what can be read. Pickles can run code when they
// are opened, so this program never opens one.
[[noreturn]] void refuse(const std::string& directory) {
  const std::string wanted = concat("no model.safetensors in ", in_quotes(directory, 400));
  if (!fs::is_directory(directory)) throw ConfigError(concat(wanted, ": there is no such directory"));
  if (any_with_extension(directory, ".bin") || any_with_extension(directory, ".pt"))
    throw ConfigError(concat(wanted,
                             ", only weights as a pickle, which is not read here. Convert them once in Python:\n"
                             "    from transformers import AutoModel\n"
                             "    AutoModel.from_pretrained('",
                             directory, "').save_pretrained('", directory, "')"));
  if (any_with_extension(directory, ".pth"))
    throw ConfigError(concat(wanted,
                             ", only weights as a pickle (.pth), which is not read here. Convert them once in Python:\n"
                             "    import torch, safetensors.torch\n"
                             "    safetensors.torch.save_file(torch.load('FILE.pth', weights_only=True), '",
                             directory, "/model.safetensors')"));
  if (any_with_extension(directory, ".h5") || any_with_extension(directory, ".keras"))
    throw ConfigError(concat(wanted, ", only a Keras file; name that file itself as model.model_name_or_path"));
  throw ConfigError(concat(wanted, ", nor a model.safetensors.index.json: it holds no weights that can be read"));
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
  const fs::path root = directory;
  if (fs::exists(root / "model.safetensors")) {
    take(std::make_unique<SafetensorsFile>((root / "model.safetensors").string()));
    return;
  }
  const std::string index = (root / "model.safetensors.index.json").string();
  if (!fs::exists(index)) refuse(directory);

  const nlohmann::json weight_map = read_weight_map(index);
  std::map<std::string, SafetensorsFile*> opened;
  for (const auto& [name, file] : weight_map.items()) {
    SafetensorsFile*& opened_file = opened[file.get<std::string>()];
    if (opened_file == nullptr) {
      const fs::path path = root / file.get<std::string>();
      if (!fs::exists(path))
        throw DataError(concat(index, ": names ", in_quotes(file.get<std::string>()), ", which is missing"));
      auto opening = std::make_unique<SafetensorsFile>(path.string());
      opened_file = opening.get();
      files_.push_back(std::move(opening));
    }
    const TensorRef* tensor = opened_file->find(name);
    if (tensor == nullptr)
      throw DataError(concat(index, ": tensor ", in_quotes(name), " is not in ", in_quotes(file.get<std::string>())));
    tensors_.emplace(name, Place{tensor, opened_file});
  }
}

WeightFiles::WeightFiles(std::unique_ptr<TensorFile> file) { take(std::move(file)); }

void WeightFiles::take(std::unique_ptr<TensorFile> file) {
  for (const TensorRef& tensor : file->tensors()) tensors_.emplace(tensor.name, Place{&tensor, file.get()});
  files_.push_back(std::move(file));
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
