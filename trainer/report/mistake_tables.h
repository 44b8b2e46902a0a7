// The validation rows of which a model is surest and wrong.
#pragma once

#include <string>

#include "trainer/report/run_record.h"

namespace sft {

// Of the last evaluation, as summary.json tells them; "" where it tells none. Pictures that are in files of their own
// are shown.
std::string mistake_tables(const RunRecord& record);

}  // namespace sft
