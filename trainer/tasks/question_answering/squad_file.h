// Predictions of questions in the form that SQuAD's evaluation scripts read.
#pragma once

#include <string>

#include "base/file_ops.h"

namespace sft {

// Writes {"id": "answer", …} at `path`, of the rows of a predictions file, in their order; durably, in one rename.
void write_squad(const std::string& predictions, const std::string& path, FileOps& files);

}  // namespace sft
