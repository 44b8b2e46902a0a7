#include "trainer/model_files/model_export.h"

#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/mark.h"
#include "base/progress.h"
#include "base/shown_work.h"
#include "base/text.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/model_files/export_directory.h"
#include "trainer/model_files/tensor_refs.h"

namespace sft {

namespace fs = std::filesystem;

void add_exported_file(FileOps& files, const std::string& directory, const std::string& name,
                       const std::string& content) {
  auto mark = mark_of(directory);
  if (!mark || !mark->contains("files")) return;
  write_atomically(files, directory + "/" + name, content);
  (*mark)["files"][name] = crc32c(content.data(), content.size());
  leave_mark(files, directory, *mark);
}

bool holds_exported_weights(const std::string& directory) {
  const auto mark = mark_of(directory);
  if (!mark || mark->value("is", "") != "model" || !mark->contains("files")) return false;
  size_t weights = 0;
  for (const auto& [name, checksum] : (*mark)["files"].items()) {
    if (!name.ends_with(".safetensors") && !name.ends_with(".h5")) continue;
    const fs::path path = fs::path(directory) / name;
    if (!fs::is_regular_file(path) || checksum != crc32c_of_file(path)) return false;
    ++weights;
  }
  return weights > 0;
}

namespace {

// One tensor at a time in host memory, as its file has it.
class Materialized {
 public:
  explicit Materialized(const ExportedTensors& tensors) {
    for (const ExportedTensor& tensor : tensors) by_name_[tensor.name] = &tensor;
  }

  const void* operator()(const TensorRef& ref) {
    const ExportedTensor& tensor = *by_name_.at(ref.name);
    now_ = at::Tensor();
    now_ = tensor.value().detach().cpu().to(tensor.type).contiguous();
    require_mapped_files_whole();
    return now_.const_data_ptr();
  }

 private:
  std::map<std::string, const ExportedTensor*> by_name_;
  at::Tensor now_;
};

// Without memory.
TensorRef outline_of(const ExportedTensor& tensor) {
  auto bytes = static_cast<int64_t>(c10::elementSize(tensor.type));
  for (const int64_t extent : tensor.shape) bytes *= extent;
  return {tensor.name, dtype_name(tensor.type), tensor.shape, nullptr, bytes};
}

void require_finite(const std::vector<TensorRef>& outlines, Materialized& bytes) {
  for (TensorRef tensor : outlines) {
    beat();
    tensor.data = const_cast<void*>(bytes(tensor));
    if (const std::string what = not_finite_in(tensor); !what.empty())
      throw Error(ExitCode::not_finite, concat("the model is not exported: ", what));
  }
}

// In their order, as transformers cuts them: a file ends before the tensor that would make it too large.
std::vector<std::vector<TensorRef>> cut(const std::vector<TensorRef>& tensors, int64_t most_bytes) {
  std::vector<std::vector<TensorRef>> files(1);
  int64_t bytes = 0;
  for (const TensorRef& tensor : tensors) {
    if (most_bytes > 0 && bytes + tensor.bytes > most_bytes && !files.back().empty()) {
      files.emplace_back();
      bytes = 0;
    }
    files.back().push_back(tensor);
    bytes += tensor.bytes;
  }
  return files;
}

// "model-00001-of-00003.safetensors" of "model.safetensors".
std::string numbered(const std::string& name, size_t index, size_t count) {
  if (count == 1) return name;
  const fs::path whole = name;
  char number[32];
  std::snprintf(number, sizeof number, "-%05zu-of-%05zu", index + 1, count);
  return whole.stem().string() + number + whole.extension().string();
}

// Writes the weights into the directory, and an index beside them where they are several files; gives back the
// checksum of each file that it wrote.
nlohmann::json write_weights(FileOps& files, const std::string& directory, const std::vector<TensorRef>& tensors,
                             Materialized& bytes, const ExportForm& form) {
  nlohmann::json checksums, weight_map;
  const std::vector<std::vector<TensorRef>> parts = cut(tensors, form.most_bytes);
  int64_t total = 0;
  for (const TensorRef& tensor : tensors) total += tensor.bytes;
  ShownWork work("exported", "bytes", total, total);
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string name = numbered(form.weights, i, parts.size());
    checksums[name] = write_safetensors(files, directory + "/" + name, parts[i], form.metadata, std::ref(bytes), &work);
    for (const TensorRef& tensor : parts[i]) weight_map[tensor.name] = name;
  }
  if (parts.size() == 1) return checksums;
  const nlohmann::json index{{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  const std::string name = form.weights + ".index.json", content = index.dump(2) + "\n";
  write_atomically(files, directory + "/" + name, content);
  checksums[name] = crc32c(content.data(), content.size());
  return checksums;
}

}  // namespace

ExportedTensor exported(const Parameter& parameter) {
  return {parameter.name, parameter.value.scalar_type(), parameter.in_files().sizes().vec(),
          [parameter] { return parameter.in_files(); }};
}

ExportedTensors exported(const Parameters& parameters) {
  ExportedTensors all;
  for (const Parameter& parameter : parameters) all.push_back(exported(parameter));
  return all;
}

std::string dtype_of(const ExportedTensors& tensors) {
  std::set<at::ScalarType> types;
  for (const ExportedTensor& tensor : tensors)
    if (at::isFloatingType(tensor.type)) types.insert(tensor.type);
  for (const auto& [type, name] :
       {std::pair{at::kBFloat16, "bfloat16"}, {at::kHalf, "float16"}, {at::kDouble, "float64"}})
    if (types == std::set{type}) return name;
  return "float32";
}

void export_model(FileOps& files, const std::string& directory, const ExportedTensors& tensors,
                  const NamedFiles& beside, const ExportForm& form) {
  std::vector<TensorRef> outlines;
  for (const ExportedTensor& tensor : tensors) outlines.push_back(outline_of(tensor));
  Materialized bytes(tensors);
  require_finite(outlines, bytes);
  const auto write = [&](const std::string& into) { return write_weights(files, into, outlines, bytes, form); };
  NamedFiles others = beside;
  for (auto& more : form.other_forms(tensors)) others.push_back(std::move(more));
  publish_directory(files, directory, write, others);
}

}  // namespace sft
