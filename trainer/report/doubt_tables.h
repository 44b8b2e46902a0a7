// Training rows whose labels a run's model doubted while it was trained.
#pragma once

#include <string>
#include <vector>

#include "trainer/metrics/suspicious_rows.h"
#include "trainer/report/run_record.h"

namespace sft {

// Of margins.jsonl (train.record_margins); "" where there is none.
std::string doubt_tables(const RunRecord& record);

// Of the rows that `sft-dist noise --folds` found; "" of null.
std::string suspicion_table(const std::vector<SuspiciousRow>* rows);

}  // namespace sft
