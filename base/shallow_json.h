// JSON of files that nobody vouches for. Trees inside trees are walked by functions that call themselves, down to the
// end of the stack.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sft {

// Discarded where the text is empty. DataError, naming `where`, where it is nested deeper than 64 levels, or is not
// JSON: with the line, and, of the NaN and Infinity that Python writes, the key.
nlohmann::json parse_shallow_json(std::string_view text, const std::string& where);

}  // namespace sft
