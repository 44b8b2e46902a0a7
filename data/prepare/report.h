// A PrepareReport as it is gathered from ranks and kept beside the shards.
#pragma once

#include <string>

#include "data/prepare/prepare.h"

namespace sft {

void count_row(PrepareReport& report, int64_t num_tokens, bool truncated, const std::vector<int64_t>& labels);
void count_broken_row(PrepareReport& report, const std::string& message);
void count_bad_row(PrepareReport& report, const std::string& message);

// Adds the counts of a part that comes behind in the order of rows.
void append(PrepareReport& report, const PrepareReport& part);

std::string to_json(const PrepareReport& report);

// Throws what the JSON library throws where it is not what to_json wrote.
PrepareReport report_from_json(const std::string& text);

}  // namespace sft
