// Which of many belongs to which of others at the least total cost (Kuhn's Hungarian method, 1955).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sft {

// `cost` [rows, columns], row by row, all finite. For each row its column; min(rows, columns) of them have one, the
// others −1. The sum of the costs is the least that there is, as of SciPy's linear_sum_assignment; where several
// assignments have it, columns that are free come first, then those of the least index, so that equal numbers give
// equal assignments everywhere. O(min² · max).
std::vector<int64_t> linear_sum_assignment(std::span<const double> cost, int64_t rows, int64_t columns);

}  // namespace sft
