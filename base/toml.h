// TOML read into JSON values and written back. toml++ lives in toml.cpp alone.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/settings.h"

namespace sft {

// Every value of the file, from the first line to the last. A table that `opens` is not a value: its
// entries are. ConfigError with file:line where the file is not TOML.
std::vector<Setting> read_toml(const std::string& file, const std::function<bool(const std::string& dotted)>& opens);

// A value as typed on a command line; a word that is no TOML value is a string.
nlohmann::json parse_toml_value(const std::string& words);

// On one line; a number reads back as the same number.
std::string toml_text(const nlohmann::json& value);

}  // namespace sft
