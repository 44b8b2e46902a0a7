// Test pictures with what a run's model sees on them.
#pragma once

#include <string>

#include "trainer/report/run_record.h"

namespace sft {

// Of predictions.jsonl, of tasks that draw their predictions; "" for others. The pictures are in the page themselves,
// made small.
std::string picture_gallery(const RunRecord& record);

}  // namespace sft
