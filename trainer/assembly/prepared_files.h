// Which of a run's data files are samples already, and which are rows to prepare.
#pragma once

#include <string>

#include "base/schema.h"
#include "trainer/models/model.h"

namespace sft {

// By the name of the file.
bool is_hdf5(const std::string& path);

// Whether the files of data.<split>_file are samples already. ConfigError for a list of both kinds, which has no order
// that a user could mean.
bool are_prepared(const StringList& files, const std::string& split, Takes takes);

}  // namespace sft
