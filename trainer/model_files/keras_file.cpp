#include "trainer/model_files/keras_file.h"

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/shallow_json.h"
#include "base/text.h"
#include "data/hdf5/stored_zip.h"
#include "trainer/models/keras/graph.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t kMostConfigBytes = 16 << 20;  // the largest model of keras.applications has 0.5 MB
constexpr char kArchivedWeights[] = "model.weights.h5";

// The one text of an attribute of the root; "" where it has none.
std::string text_of(const hdf5::FileLayout& layout, const char* name) {
  const hdf5::Attribute* found = layout.attribute(name);
  return found == nullptr || found->texts.size() != 1 ? "" : found->texts.front();
}

// "vgg16" of "vgg16.weights.h5" and of "vgg16.h5".
std::string stem_of(const fs::path& path) {
  std::string stem = path.stem().string();
  if (stem.ends_with(".weights")) stem.resize(stem.size() - 8);
  return stem;
}

}  // namespace

bool is_keras_file(const std::string& path) {
  return std::ranges::any_of(std::initializer_list<const char*>{".h5", ".hdf5", ".keras"},
                             [&](const char* ending) { return path.ends_with(ending); });
}

KerasFile::KerasFile(const std::string& path) : path_(path), is_hdf5_(!path.ends_with(".keras")) {
  config_ = {{"model_type", "keras"}};
  is_hdf5_ ? read_hdf5() : read_archive();
  if (!config_.contains("keras_config")) read_config_beside();
  if (!config_.contains("keras_version")) config_["keras_version"] = "3";
  if (config_.contains("keras_config")) tell_ends();
}

void KerasFile::read_archive() {
  const StoredZip archive(path_);
  take_config(archive.text("config.json", kMostConfigBytes), "config.json");
  const json about = parse_shallow_json(archive.text("metadata.json", kMostConfigBytes), path_ + ", metadata.json");
  take_version(about);
}

std::shared_ptr<const GuardedFile> KerasFile::weights() const {
  if (is_hdf5_) return hdf5_;
  return open_guarded(StoredZip(path_).in_memory(kArchivedWeights), concat(path_, "/", kArchivedWeights));
}

void KerasFile::read_hdf5() {
  hdf5_ = open_guarded(path_);
  const hdf5::FileLayout& layout = hdf5_->layout;
  if (const std::string text = text_of(layout, "model_config"); !text.empty()) take_config(text, "model_config");
  if (const hdf5::GroupLayout* group = layout.group("model_weights"))
    if (const hdf5::Attribute* version = group->attribute("keras_version"); version && version->texts.size() == 1)
      config_["keras_version"] = version->texts.front();
  if (const std::string version = text_of(layout, "keras_version"); !version.empty())
    config_["keras_version"] = version;
  const bool has_layers = std::ranges::any_of(
      layout.datasets, [](const hdf5::DatasetLayout& dataset) { return dataset.name.starts_with("layers/"); });
  if (!config_.contains("keras_config") && layout.attribute("layer_names") == nullptr &&
      layout.attribute("layer_names0") == nullptr && !has_layers)
    throw DataError(
        concat(in_quotes(path_, 400),
               ": is no Keras model: it has no attribute model_config, and no weights of layers. A shard of "
               "samples belongs into data.train_file"));
}

void KerasFile::read_config_beside() {
  const fs::path file = path_;
  for (const fs::path& beside : {file.parent_path() / (stem_of(file) + ".json"), file.parent_path() / "config.json"}) {
    if (!fs::is_regular_file(beside)) continue;
    if (fs::file_size(beside) > static_cast<uintmax_t>(kMostConfigBytes))
      throw DataError(concat(beside.string(), ": has more than ", kMostConfigBytes, " bytes"));
    const json content = parse_shallow_json(read_file(beside.string()), beside.string());
    if (!content.is_object() || !content.contains("class_name")) continue;
    config_["keras_config"] = content;
    if (!config_.contains("keras_version")) take_version(content);
    return;
  }
}

void KerasFile::take_version(const json& about) {
  if (about.is_object() && about.contains("keras_version") && about["keras_version"].is_string())
    config_["keras_version"] = about["keras_version"];
}

void KerasFile::take_config(const std::string& text, const std::string& what) {
  if (std::ssize(text) > kMostConfigBytes)
    throw DataError(concat(in_quotes(path_, 400), ": ", what, " has ", text.size(), " bytes; at most ",
                           kMostConfigBytes, " are read"));
  json content = parse_shallow_json(text, concat(path_, ", ", what));
  if (!content.is_object()) throw DataError(concat(in_quotes(path_, 400), ": ", what, " is not a JSON object"));
  config_["keras_config"] = std::move(content);
}

// Looks through the whole graph, so that what is wrong with it is told with the file's name.
void KerasFile::tell_ends() {
  try {
    const keras::Graph graph = keras::read_graph(config_["keras_config"]);
    const std::vector<int64_t>& shape = graph.input_shape;
    if (shape.size() == 3 && shape[0] > 0 && shape[0] == shape[1]) config_["image_size"] = shape[0];
    const json& last = graph.layers.back().config;
    if (last.contains("units") && last["units"].is_number_integer()) config_["num_labels"] = last["units"];
    for (auto layer = graph.layers.rbegin(); !config_.contains("num_labels") && layer != graph.layers.rend(); ++layer)
      for (const char* key : {"units", "filters"})
        if (layer->config.contains(key) && layer->config[key].is_number_integer())
          config_["num_labels"] = layer->config[key];
  } catch (const DataError& error) {
    throw DataError(concat(in_quotes(path_, 400), ": ", error.what()));
  }
}

}  // namespace sft
