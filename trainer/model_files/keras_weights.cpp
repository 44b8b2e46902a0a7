#include "trainer/model_files/keras_weights.h"

#include <deque>
#include <filesystem>

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

}  // namespace

struct KerasWeights::Impl {
  std::string path;
  std::shared_ptr<const GuardedFile> file;
  std::unique_ptr<MappedFile> mapped;
  std::deque<std::vector<std::byte>> read;  // what the file does not keep in one piece
  std::vector<TensorRef> tensors;
  bool is_watched = false;

  void take(const std::string& name, const std::string& dataset) {
    const hdf5::DatasetLayout& layout = file->dataset(dataset);
    const std::string what = file->name_of(dataset);
    TensorRef tensor{.name = name, .dtype = dtype_of(layout.type, what), .shape = layout.shape};
    tensor.bytes = hdf5::num_elements(layout.shape) * layout.type.bytes;
    if (tensor.bytes == 0) throw DataError(concat(what, ": has no values"));
    if (layout.storage == hdf5::Storage::contiguous) {
      tensor.data = const_cast<std::byte*>(mapped->data() + layout.offset);
    } else {
      const std::unique_ptr<hdf5::Bytes> content = hdf5::open_bytes(file, layout);
      read.emplace_back(static_cast<size_t>(content->size()));
      content->read(0, content->size(), read.back().data());
      tensor.data = read.back().data();
    }
    tensors.push_back(std::move(tensor));
  }
};

KerasWeights::KerasWeights(const KerasFile& file, const nlohmann::json& config) : impl_(std::make_unique<Impl>()) {
  impl_->path = file.path();
  impl_->file = file.weights();
  impl_->is_watched = file.is_hdf5();
  impl_->mapped = file.is_hdf5() ? std::make_unique<MappedFile>(file.path())
                                 : std::make_unique<MappedFile>(impl_->file->descriptor.get(), 0, impl_->file->bytes,
                                                                impl_->file->path);
  const keras::WholeModel whole = keras::whole_model(config);
  PlacesInFile places;
  try {
    places = places_in_file(impl_->file->layout, *whole.graph, *whole.network);
  } catch (const DataError& error) {
    throw DataError(concat(in_quotes(file.path(), 400), ": ", error.what()));
  }
  for (const auto& [name, dataset] : places) impl_->take(name, dataset);
  require_mapped_files_whole();
}

KerasWeights::~KerasWeights() = default;

const std::vector<TensorRef>& KerasWeights::tensors() const { return impl_->tensors; }
const std::string& KerasWeights::path() const { return impl_->path; }
bool KerasWeights::is_unchanged() const { return !impl_->is_watched || impl_->mapped->is_unchanged(); }

std::shared_ptr<const WeightFiles> open_weights(const std::string& path, const nlohmann::json& config) {
  if (!std::filesystem::is_regular_file(path)) return std::make_shared<const WeightFiles>(path);
  return std::make_shared<const WeightFiles>(std::make_unique<KerasWeights>(KerasFile(path), config));
}

}  // namespace sft
