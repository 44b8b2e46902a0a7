#include "trainer/assembly/generate_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

using nlohmann::json;

NumberList ids_in(const json& value) {
  if (value.is_number_integer()) return {value.get<double>()};
  NumberList ids;
  if (value.is_array())
    for (const json& id : value)
      if (id.is_number_integer()) ids.push_back(id.get<double>());
  return ids;
}

}  // namespace

GenerateConfig settled(const GenerateConfig& asked, const Origins& origins, const ModelDirectory& model,
                       const std::vector<int32_t>& trained) {
  GenerateConfig config = asked;
  const json own = json::parse(model.text_of("generation_config.json"), nullptr, /*allow_exceptions=*/false);
  for (const BoundField& field : bind_fields(config)) {
    const std::string name(field.info.name);
    if (origins.contains("generate." + name) || !own.is_object() || !own.contains(name)) continue;
    if (const json& value = own[name]; auto* const* flag = std::get_if<bool*>(&field.value)) {
      if (value.is_boolean()) **flag = value.get<bool>();
    } else if (auto* const* whole = std::get_if<int64_t*>(&field.value)) {
      const bool is_built = !field.info.rule.only_value || value == *field.info.rule.only_value;
      if (value.is_number_integer() && is_built) **whole = value.get<int64_t>();
    } else if (auto* const* number = std::get_if<double*>(&field.value)) {
      if (value.is_number()) **number = value.get<double>();
    }
  }
  if (config.eos_token_id.empty() && own.is_object() && own.contains("eos_token_id"))
    config.eos_token_id = ids_in(own["eos_token_id"]);
  if (config.eos_token_id.empty() && model.config().contains("eos_token_id"))
    config.eos_token_id = ids_in(model.config()["eos_token_id"]);
  if (!origins.contains("generate.eos_token_id"))
    for (const int32_t id : trained)
      if (std::ranges::find(config.eos_token_id, static_cast<double>(id)) == config.eos_token_id.end())
        config.eos_token_id.push_back(id);
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
