// JSON of files that others wrote.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sft {

// Discarded where the text is not JSON. DataError naming `path` where it is nested deeper than 64 levels: deeper trees
// would be walked by functions that call themselves, down to the end of the stack.
nlohmann::json parse_json(const std::string& text, const std::string& path);

}  // namespace sft
