// freeze.cache: what the frozen stages give for the rows of training and validation is computed once and kept.
#pragma once

#include "trainer/assemble.h"

namespace sft {

// ConfigError where what the stages give would not be the same at every draw.
void check_cache(const Assembly& run);

// Collective, once the weights are those of the checkpoint that the run goes on from.
void keep_frozen_part(Assembly& run);

}  // namespace sft
