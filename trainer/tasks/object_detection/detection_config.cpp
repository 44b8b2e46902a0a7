#include "trainer/tasks/object_detection/detection_config.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

DetectionConfig read_detection_config(const nlohmann::json& config) {
  const auto tokens = config.find("num_detection_tokens");
  if (tokens == config.end())
    throw ConfigError(concat("model.task = \"object_detection\" is of models with detection tokens, as model_type ",
                             "\"yolos\" has them, and this one is ",
                             in_quotes(config.value("model_type", std::string("unknown")))));
  if (config.value("auxiliary_loss", nlohmann::json()) == true)
    throw ConfigError(
        "config.json: auxiliary_loss is true, and losses of lower blocks are not built; set model.config = { "
        "auxiliary_loss = false }");
  const auto number = [&](const char* key, double otherwise) {
    const auto found = config.find(key);
    if (found == config.end()) return otherwise;
    if (!found->is_number() || !(found->get<double>() >= 0))
      throw ConfigError(concat("config.json: ", key, ": wanted a number, 0 or more, found ", found->dump()));
    return found->get<double>();
  };
  return {.tokens = tokens->get<int64_t>(),
          .class_cost = number("class_cost", 1),
          .box_cost = number("bbox_cost", 5),
          .giou_cost = number("giou_cost", 2),
          .box_coefficient = number("bbox_loss_coefficient", 5),
          .giou_coefficient = number("giou_loss_coefficient", 2),
          .no_object_weight = static_cast<float>(number("eos_coefficient", 0.1))};
}

}  // namespace sft
