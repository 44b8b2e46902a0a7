#include "trainer/learner/activation_file.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string_view>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/leftovers.h"
#include "base/text.h"
#include "data/hash/sha256.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/model_files/tensor_refs.h"

namespace sft {
namespace {

constexpr const char *kRows = "activations", *kOffsets = "offsets", *kKeyBegins = "activations ";

std::string path_of(const std::string& directory, const std::string& key) {
  return concat(directory, "/activations-", sha256(key).substr(0, 16), ".safetensors");
}

std::string sum_of(const TensorRef& tensor) {
  return std::to_string(crc32c(tensor.data, static_cast<size_t>(tensor.bytes)));
}

std::map<std::string, std::string> about(const std::string& key, const TensorRef& rows, const TensorRef& offsets) {
  return {{"key", key}, {"crc32c", concat(sum_of(rows), " ", sum_of(offsets))}};
}

}  // namespace

std::string activation_key(const Learner& learner, const Dataset& dataset, const std::string& dtype) {
  Parameters frozen;
  for (const Parameters& list : {learner.parameters(), learner.model().buffers()})
    for (const Parameter& parameter : list)
      if (parameter.stage < learner.first_trained()) frozen.push_back(parameter);
  std::string key =
      concat(kKeyBegins, "2\n", dataset.info().fingerprint, " ", dataset.size(), "\n", learner.model().config().dump(),
             "\n", dtype, " ", static_cast<int>(learner.task().reads()), " ", learner.first_trained(), "\n");
  const HostTensors tensors(named_tensors(frozen));
  for (const TensorRef& tensor : tensors.refs()) {
    const std::string_view bytes(static_cast<const char*>(tensor.data), static_cast<size_t>(tensor.bytes));
    key += concat(tensor.name, " ", sha256(bytes), "\n");
  }
  return key;
}

bool is_activation_file(const std::string& path) {
  try {
    const SafetensorsFile file(path);
    const auto key = file.metadata().find("key");
    const std::filesystem::path named(path);
    return key != file.metadata().end() && key->second.starts_with(kKeyBegins) &&
           named.filename() == std::filesystem::path(path_of("", key->second)).filename();
  } catch (const Error&) {
    return false;
  }
}

Activations read_activations(const std::string& directory, const std::string& key) {
  const std::string path = path_of(directory, key);
  if (!std::filesystem::exists(path)) return {};
  const auto file = std::make_shared<SafetensorsFile>(path);
  const TensorRef *rows = file->find(kRows), *offsets = file->find(kOffsets);
  if (rows == nullptr || offsets == nullptr || file->metadata() != about(key, *rows, *offsets))
    throw DataError(concat(path, ": is not what its name says, or damaged"));
  const auto* first = static_cast<const int64_t*>(offsets->data);
  return {at::from_blob(
              rows->data, rows->shape, [file](void*) {}, at::TensorOptions().dtype(dtype_from(rows->dtype))),
          {first, first + offsets->bytes / static_cast<int64_t>(sizeof(int64_t))}};
}

void write_activations(FileOps& files, const std::string& directory, const std::string& key, const Activations& all) {
  const std::string path = path_of(directory, key), temporary = name_in_progress(path, "tmp");
  files.make_directory(directory);
  remove_leftovers(files, path, "tmp");
  files.remove_all(temporary);
  const HostTensors tensors({{kRows, all.rows}, {kOffsets, at::tensor(all.offsets, at::kLong)}});
  const std::vector<TensorRef> refs = tensors.refs();
  write_safetensors(files, temporary, refs, about(key, refs[0], refs[1]));
  files.rename(temporary, path);
  files.sync_directory(directory);
}

}  // namespace sft
