#include "trainer/model_files/keras_weights.h"

#include <filesystem>
#include <utility>

#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "data/hdf5/bytes.h"
#include "trainer/model_files/keras_names.h"
#include "trainer/models/keras/model_plan.h"

namespace sft {
namespace {

// "F32" or "F64", as safetensors calls it.
std::string dtype_of(const hdf5::Type& type, const std::string& what) {
  const bool is_plain = type.kind == hdf5::Class::floating && !type.big_endian && (type.bytes == 4 || type.bytes == 8);
  if (!is_plain)
    throw DataError(concat(what, ": is of the type ", type.name,
                           "; weights of float32 and float64, little-endian, are "
                           "read. Save the model with them in Keras"));
  return type.bytes == 4 ? "F32" : "F64";
}

// Watched where others may write to it: then it is opened anew.
std::unique_ptr<MappedFile> mapping_of(const KerasFile& file, const GuardedFile& weights) {
  if (!file.is_hdf5()) return std::make_unique<MappedFile>(weights.descriptor.get(), 0, weights.bytes, weights.path);
  auto mapped = std::make_unique<MappedFile>(file.path());
  if (mapped->size() != weights.bytes)
    throw DataError(concat(in_quotes(file.path(), 400), ": has changed while it was opened"));
  return mapped;
}

}  // namespace

KerasWeights::KerasWeights(const KerasFile& file, const nlohmann::json& config)
    : KerasWeights(file, file.weights(), config) {}

KerasWeights::KerasWeights(const KerasFile& file, std::shared_ptr<const GuardedFile> weights,
                           const nlohmann::json& config)
    : TensorFile(file.path(), mapping_of(file, *weights)), file_(std::move(weights)), is_watched_(file.is_hdf5()) {
  const keras::WholeModel whole = keras::whole_model(config);
  PlacesInFile places;
  try {
    places = places_in_file(file_->layout, *whole.graph, *whole.network);
  } catch (const DataError& error) {
    throw DataError(concat(in_quotes(path(), 400), ": ", error.what()));
  }
  std::vector<TensorRef> tensors;
  for (const auto& [name, dataset] : places) tensors.push_back(tensor_of(name, dataset));
  set_tensors(std::move(tensors));
  require_mapped_files_whole();
}

TensorRef KerasWeights::tensor_of(const std::string& name, const std::string& dataset) {
  const hdf5::DatasetLayout& layout = file_->dataset(dataset);
  const std::string what = file_->name_of(dataset);
  TensorRef tensor{.name = name, .dtype = dtype_of(layout.type, what), .shape = layout.shape};
  tensor.bytes = hdf5::num_elements(layout.shape) * layout.type.bytes;
  if (tensor.bytes == 0) throw DataError(concat(what, ": has no values"));
  if (layout.storage == hdf5::Storage::contiguous) {
    tensor.data = const_cast<std::byte*>(mapped().data() + layout.offset);
    return tensor;
  }
  const std::unique_ptr<hdf5::Bytes> content = hdf5::open_bytes(file_, layout);
  read_.emplace_back(static_cast<size_t>(content->size()));
  content->read(0, content->size(), read_.back().data());
  tensor.data = read_.back().data();
  return tensor;
}

std::shared_ptr<const WeightFiles> open_weights(const std::string& path, const nlohmann::json& config) {
  if (!std::filesystem::is_regular_file(path)) return std::make_shared<const WeightFiles>(path);
  return std::make_shared<const WeightFiles>(std::make_unique<KerasWeights>(KerasFile(path), config));
}

}  // namespace sft
