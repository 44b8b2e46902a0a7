// Whether a model can take what the data of a run holds.
#pragma once

#include "trainer/assembly/datasets.h"
#include "trainer/config/run_config.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/models/model.h"

namespace sft {

// ConfigError or DataError where it cannot: pictures of another size, more token ids or positions than it has.
void check_fit(const RunConfig& config, const Model& model, const Datasets& data, const ModelDirectory& directory);

}  // namespace sft
