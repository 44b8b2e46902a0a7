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

// Of a model that reads sources, whose max_length counts the token that a target begins with. Elsewhere it would count
// the prompt.
void take_max_length(GenerateConfig& config, const json& own, const ModelDirectory& model) {
  const auto length = own.find("max_length"), new_tokens = own.find("max_new_tokens");
  if (!model.config().value("is_encoder_decoder", false) || length == own.end() || !length->is_number_integer()) return;
  if (new_tokens != own.end() && new_tokens->is_number_integer()) return;
  if (length->get<int64_t>() > 1) config.max_new_tokens = length->get<int64_t>() - 1;
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
  if (!origins.contains("generate.max_new_tokens")) take_max_length(config, own, model);
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
