#pragma once

#include <nlohmann/json_fwd.hpp>

namespace sft {

// Whether "image_size" of config.json's content says of which pictures the table of positions is, whatever size the
// pictures of a run have.
bool keeps_image_size(const nlohmann::json& config);

}  // namespace sft
