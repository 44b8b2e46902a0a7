// What a pass through blocks of equal size costs.
#pragma once

#include <cstdint>

namespace sft {

// Floating point operations of a row in one block.
struct RowFlops {
  double of_all = 0;   // what every row needs in the last block too, since others read it: keys and values
  double of_read = 0;  // what a row needs there only if it is read
};

// Of `rows` rows, of which the last block gives those that are read.
inline double block_flops(int64_t blocks, int64_t rows, int64_t read, const RowFlops& row) {
  const auto all = static_cast<double>(rows), below = static_cast<double>(blocks - 1);
  return (below + 1) * all * row.of_all + (below * all + static_cast<double>(read)) * row.of_read;
}

}  // namespace sft
