// One field's value: from JSON with every check its declaration asks for, and back.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/schema.h"

namespace sft {

// Where the user gave a value, the key as written there and, from a command line, the value as typed.
struct Given {
  std::string place, key, words;
};

// Sets the field; a table is merged into what is there. ConfigError "PLACE: KEY: wanted …, found …".
void assign(const BoundField& field, nlohmann::json value, const Given& given);

nlohmann::json value_of(const BoundField& field);

// "at least 1 and less than 2"; "" where any number is accepted.
std::string bounds_of(const Rule& rule);

}  // namespace sft
