// Classes that have a name and no target: nothing can be learned of them.
#pragma once

#include <string>

#include "data/prepare/report.h"

namespace sft {

// Adds a warning with the names of the classes that none of the report's targets is of, where there are some; `cause`
// says what may have led there, as "; is …?".
void warn_of_unseen_classes(PrepareReport& report, const std::string& cause = "");

}  // namespace sft
