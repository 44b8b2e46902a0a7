// The [parallel] section.
#pragma once

#include <string>

#include "base/schema.h"

namespace sft {

struct ParallelConfig {
  std::string strategy = "replicated";

  static constexpr auto fields() {
    return std::tuple{field("strategy", &ParallelConfig::strategy,
                            "what each rank holds of the optimizer's state (zero1), of the gradients too (zero2), and "
                            "of the trained weights too (zero3): its own part; replicated: all. With zero3 a stage's "
                            "weights are whole while it runs, and all of them in evaluations, saves and exports, and in "
                            "each update with train.l1 or train.l2",
                            one_of("replicated", "zero1", "zero2", "zero3"))
                          .changeable()};
  }
};

}  // namespace sft
