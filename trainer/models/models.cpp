// The list of models.
#include <array>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/bert/bert.h"
#include "trainer/models/distilbert/distilbert.h"
#include "trainer/models/model.h"
#include "trainer/models/resnet/resnet.h"
#include "trainer/models/roberta/roberta.h"

namespace sft {
namespace {

using Make = std::unique_ptr<Model> (*)(nlohmann::json content, const ModelSettings& settings);

// By config.json's model_type.
constexpr std::array<std::pair<const char*, Make>, 6> kModels{{
    {"bert", make_bert},
    {"camembert", make_roberta},
    {"distilbert", make_distilbert},
    {"resnet", make_resnet},
    {"roberta", make_roberta},
    {"xlm-roberta", make_roberta},
}};

}  // namespace

std::vector<std::string> model_types() {
  std::vector<std::string> all;
  for (const auto& [name, make] : kModels) all.emplace_back(name);
  return all;
}

std::unique_ptr<Model> make_model(const nlohmann::json& config, const ModelSettings& settings) {
  const auto type = config.find("model_type");
  if (type == config.end() || !type->is_string())
    throw ConfigError("config.json has no model_type; built are: " + join(model_types(), ", "));
  const auto wanted = type->get<std::string>();
  for (const auto& [name, make] : kModels)
    if (wanted == name) return make(config, settings);
  throw ConfigError(concat("model_type ", in_quotes(wanted), " is not built", did_you_mean(wanted, model_types()),
                           "; built are: ", join(model_types(), ", ")));
}

}  // namespace sft
