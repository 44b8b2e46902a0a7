// All-reduces of several sizes over the ranks of a job, for the constants of its links.
#pragma once

#include <vector>

#include "trainer/assembly/world.h"
#include "trainer/planning/links.h"

namespace sft {

// From 4 KiB to 64 MiB in float32, on GPUs to 256 MiB where no sum takes 20 ms before; of each size the best of five, by the slowest rank. Every rank calls, and gets the
// same.
std::vector<planning::TimedSum> time_sums(const World& world);

}  // namespace sft
