// The config of a run.
#pragma once

#include <string>

#include "trainer/report/run_record.h"

namespace sft {

// What differs from the defaults, then all of it, folded.
std::string settings_tables(const RunRecord& record);

}  // namespace sft
