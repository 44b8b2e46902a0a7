// Scores that a run must have reached after so many evaluations, or it is given up: what other trials of its sweep had.
#pragma once

#include <cstdint>
#include <map>

namespace sft {

using Cutoffs = std::map<int64_t, double>;  // by the number of evaluations; as good as that goes on

}  // namespace sft
