// Training rows whose labels a run's model doubted while it was trained.
#pragma once

#include <string>

#include "trainer/report/run_record.h"

namespace sft {

// Of margins.jsonl (train.record_margins); "" where there is none.
std::string doubt_tables(const RunRecord& record);

}  // namespace sft
