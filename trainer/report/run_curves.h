// The charts of one run or of several over each other.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/run_record.h"

namespace sft {

std::string charts_of(const RunRecord& record);
std::string charts_of(const std::vector<RunRecord>& records);  // a colour a run, by its place

}  // namespace sft
