#pragma once

#include <nlohmann/json_fwd.hpp>

#include "comm/communicator.h"
#include "data/samples/dataset.h"

namespace sft {

// Collective. A warning where training pictures have more boxes than the model has detection tokens: a box without a
// token is not learned. `model`: its config.json.
void tell_boxes_without_token(const Dataset& dataset, const nlohmann::json& model, Communicator& control);

}  // namespace sft
