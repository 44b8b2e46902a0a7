// The JSON files of a model directory, each under its name in one object: config.json of every family,
// generation_config.json, adapter_config.json and what stands beside them.
#include "fuzz/input.h"
#include "fuzz/json_mutator.h"
#include "trainer/assembly/generate_settings.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/models/model.h"

namespace {

using namespace sft;

void read_settings(const ModelDirectory& model) {
  model.label_names();
  model.architecture();
  model.model_max_length();
  model.truncation_side();
  fuzz::allow_errors([&] { model.pooling(); });
  fuzz::allow_errors([&] { model.threshold(); });
  fuzz::allow_errors([&] {
    DataConfig data;
    model.read_image_settings(data);
  });
  fuzz::allow_errors([&] { generation_config(model, settled({}, {}, model, {1, 2})); });
}

// Where its numbers are small: others are refused for the memory that they ask for, by a message of their own.
bool is_small(const nlohmann::json& tree) {
  if (tree.is_number()) return tree.get<double>() < 300;
  return std::all_of(tree.begin(), tree.end(), [](const nlohmann::json& child) {
    return !child.is_structured() && !child.is_number() ? true : is_small(child);
  });
}

}  // namespace

SFT_FUZZ_JSON(input) {
  const auto files = nlohmann::json::parse(input, nullptr, /*allow_exceptions=*/false);
  if (!files.is_object()) return;
  for (const char* name : {"config.json", "generation_config.json", "tokenizer_config.json", "preprocessor_config.json",
                           "adapter_config.json"}) {
    std::filesystem::remove(fuzz::folder().path() + "/" + name);
    if (files.contains(name)) fuzz::folder().put(name, files[name].dump());
  }
  fuzz::allow_errors([&] {
    const ModelDirectory model(fuzz::folder().path());
    fuzz::allow_errors([&] { read_settings(model); });
    if (is_small(model.config())) make_model(model.config(), {});
  });
  if (files.contains("adapter_config.json")) fuzz::allow_errors([&] { read_adapter_settings(fuzz::folder().path()); });
}
