// What the loop of a run is told: its length, cadences, selection and limits, and what its checkpoints keep.
#pragma once

#include "trainer/assembly/assemble.h"

namespace sft {

// Before a checkpoint is loaded: l2_from_start takes the weights that are there as the start.
TrainerSettings trainer_settings(const Assembly& run);

}  // namespace sft
