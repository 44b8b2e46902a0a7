// Values on their way from a file or a command line into the fields of a config.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/config_file.h"
#include "base/schema.h"

namespace sft {

struct Setting {
  std::vector<std::string> path;
  nlohmann::json value;
  std::string place;  // "run.toml:12", "command line"
  std::string words;  // as typed on a command line; "" from a file
};

// Sets the fields, in order. `settings` stand on one footing (one file, one command line): among
// them a field may not go by two names.
void apply(const BoundFields& fields, const std::vector<Setting>& settings, Origins& origins);

// `name` is the field's name or another name of it.
bool is_called(const BoundField& field, std::string_view name);
bool is_section(const BoundFields& fields, const std::string& name);
bool holds_table(const BoundField& field);

}  // namespace sft
