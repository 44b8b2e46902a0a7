// The part of config.json that says what the outputs of a head are.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace sft {

// id2label, label2id and, where it is not "", problem_type, as transformers writes them; it counts id2label and needs
// no num_labels.
void describe_labels(nlohmann::json& config, const std::vector<std::string>& names, const std::string& problem_type);

}  // namespace sft
