#include "trainer/assembly/generate_settings.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/field_value.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

// As transformers finds them: the model's generation_config.json, or config.json where there is none.
json settings_of(const ModelDirectory& model) {
  const json own = json::parse(model.text_of("generation_config.json"), nullptr, /*allow_exceptions=*/false);
  return own.is_object() ? own : model.config();
}

// Leaves the field where the value is none that is built.
void take(const BoundField& field, const json& values) {
  const auto value = values.find(std::string(field.info.name));
  if (value == values.end()) return;
  try {
    assign(field, *value, {});
  } catch (const ConfigError&) {
  }
}

}  // namespace

GenerateConfig settled(const GenerateConfig& asked, const Origins& origins, const ModelDirectory& model,
                       const std::vector<int32_t>& trained) {
  GenerateConfig config = asked;
  const json own = settings_of(model);
  for (const BoundField& field : bind_fields(config)) {
    if (origins.contains(concat("generate.", field.info.name))) continue;
    if (field.info.name != "eos_token_id") {
      take(field, own);
    } else if (config.eos_token_id.empty()) {
      take(field, model.config());
      take(field, own);
    }
  }
  if (!origins.contains("generate.eos_token_id"))
    for (const int32_t id : trained)
      if (!has(config.eos_token_id, id)) config.eos_token_id.push_back(id);
  return config;
}

std::string generation_config(const ModelDirectory& from, const GenerateConfig& config) {
  json own = json::parse(from.text_of("generation_config.json"), nullptr, /*allow_exceptions=*/false);
  if (!own.is_object()) own = json::object();
  std::vector<int64_t> ids;
  for (const double id : config.eos_token_id) ids.push_back(static_cast<int64_t>(id));
  if (ids.size() == 1) own["eos_token_id"] = ids.front();
  if (ids.size() > 1) own["eos_token_id"] = ids;
  for (const char* key : {"bos_token_id", "pad_token_id"})
    if (!own.contains(key) && from.config().contains(key)) own[key] = from.config()[key];
  return own.dump(2) + "\n";
}

}  // namespace sft
