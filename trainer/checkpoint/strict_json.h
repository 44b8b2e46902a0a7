// JSON from a file nobody vouches for: a key that stands twice is an error, because two readers would
// take different values from it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sft {

// The value of `text`. DataError, naming `where`, if it is not JSON or repeats a key.
nlohmann::json parse_strict_json(std::string_view text, const std::string& where);

}  // namespace sft
