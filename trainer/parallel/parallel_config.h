// The [parallel] section.
#pragma once

#include <string>

#include "base/schema.h"

namespace sft {

struct ParallelConfig {
  std::string strategy = "replicated";

  static constexpr auto fields() {
    return std::tuple{field("strategy", &ParallelConfig::strategy,
                            "what each rank holds of the optimizer's state (zero1) and of the gradients too (zero2): "
                            "its own part; replicated: all. Every rank holds the whole model",
                            one_of("replicated", "zero1", "zero2").not_built("zero3"))
                          .changeable()};
  }
};

}  // namespace sft
