// The keys of a config explained: what each means, what it accepts, its default and its other names.
#pragma once

#include <string>

#include "base/schema.h"

namespace sft {

// One key, in some lines for a terminal. The value that the field holds is told as the default.
std::string key_text(const BoundField& field);

// All keys in Markdown: a heading and a table a section, in order of declaration.
std::string keys_page(const BoundFields& fields);

}  // namespace sft
