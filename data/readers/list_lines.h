// Lists that stand beside pictures, one name a line, as ImageSets/Main/train.txt and classes.txt.
#pragma once

#include <string>
#include <string_view>

#include "base/schema.h"

namespace sft {

// The text without the byte order mark that programs on Windows write in front of UTF-8.
std::string_view without_byte_order_mark(std::string_view text);

// The file's lines in order, empty ones among them, so that line n of the file is at n - 1; without a byte order mark,
// and without white space at their ends. ConfigError where the file cannot be read, DataError where it is of UTF-16. Names of files may be
// of any bytes.
StringList list_lines(const std::string& path);

}  // namespace sft
