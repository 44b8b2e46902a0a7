// Rows that come through a pipe, kept in a file while they are read more than once.
#pragma once

#include <string>

namespace sft {

// Reads standard input to its end into a file in `directory` and returns its path: .json where it begins with an object
// or an array, be it of lines or a document, else .tsv or .csv by what is in the first line. DataError where nothing
// comes. Leaves within a second of a request to (leave_if_asked).
std::string keep_standard_input(const std::string& directory);

}  // namespace sft
