// JSON Lines: one object a line. Blank lines are passed over.
#pragma once

#include "data/readers/reader.h"

namespace sft::jsonl {

std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end);
Stretch survey(const std::string& path, int64_t begin, int64_t end);

}  // namespace sft::jsonl
