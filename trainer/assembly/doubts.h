// What may be wrong with a model that was loaded, and nobody but the user can tell.
#pragma once

#include "trainer/assembly/build_model.h"

namespace sft {

// Warns of a trunk that the files do not fill, of a head that was trained for other labels, of an adapter of another
// base, and of pixels whose scale is not told.
void tell_doubts(const RunConfig& config, const Built& built, const ModelDirectory& directory, const Labels& labels);

}  // namespace sft
