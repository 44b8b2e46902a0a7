#include "trainer/tasks/blocks/describe_labels.h"

#include <nlohmann/json.hpp>

namespace sft {

void describe_labels(nlohmann::json& config, const std::vector<std::string>& names, const std::string& problem_type) {
  nlohmann::json by_id = nlohmann::json::object(), by_name = nlohmann::json::object();
  for (size_t id = 0; id < names.size(); ++id) {
    by_id[std::to_string(id)] = names[id];
    by_name[names[id]] = id;
  }
  config.erase("num_labels");
  config.erase("problem_type");
  config["id2label"] = by_id;
  config["label2id"] = by_name;
  if (!problem_type.empty()) config["problem_type"] = problem_type;
}

}  // namespace sft
