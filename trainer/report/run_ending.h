// How a run ended, if it did.
#pragma once

#include "trainer/report/run_record.h"

namespace sft {

// Sets state, ending and last_heard from the files of record.directory; the rest of the record is read already.
void judge_ending(RunRecord& record);

}  // namespace sft
