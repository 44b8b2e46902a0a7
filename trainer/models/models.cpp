// The list of models.
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/bert/bert.h"
#include "trainer/models/model.h"

namespace sft {

std::unique_ptr<Model> make_model(const nlohmann::json& config, const at::Device& device, at::ScalarType dtype,
                                  uint64_t seed) {
  const auto type = config.find("model_type");
  if (type == config.end() || !type->is_string()) {
    throw ConfigError("config.json has no model_type; built are: bert");
  }
  const auto options = at::TensorOptions(device).dtype(dtype);
  if (*type == "bert") return make_bert(config, options, seed);
  throw ConfigError(concat("model_type ", quoted(type->get<std::string>()), " is not built; built are: bert"));
}

}  // namespace sft
