// Rows in one JSON document: an array of objects, or an object with such an array named "data", as exports of many
// tools have it. All rows start at the file's first byte; in memory is one of them.
#pragma once

#include "data/readers/reader.h"

namespace sft::json_array {

// Whether the file is such a document; a file of JSON lines is none, whatever its objects hold.
bool is_array(const std::string& path);

// BadRow for an item that is no object; DataError for what is no JSON, or ends too early.
std::unique_ptr<Reader> open(const std::string& path);

}  // namespace sft::json_array
