// Sums of parts, added as a balanced binary tree, in one buffer that they are written into one after the other.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace sft {

class PartTree {
 public:
  // `sum` is the buffer, zero at the start of each round; `parts` a power of two. Beside it log2(parts) more are kept.
  PartTree(at::Tensor sum, int parts);

  // What was added to the buffer since the last call is one part. After the last part of a round the buffer holds the
  // sum of all; before, it is zero again.
  void close_one();

 private:
  at::Tensor sum_;
  int parts_;
  int closed_ = 0;                    // of this round
  std::vector<at::Tensor> branches_;  // [k]: the sum of 2^k parts that waits for its neighbour
};

}  // namespace sft
