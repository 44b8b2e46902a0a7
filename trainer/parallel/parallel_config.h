// The [parallel] section.
#pragma once

#include <string>

#include "base/schema.h"

namespace sft {

struct ParallelConfig {
  std::string strategy = "replicated";

  static constexpr auto fields() {
    return std::tuple{field("strategy", &ParallelConfig::strategy,
                            "replicated: every rank holds the whole model and optimizer state",
                            one_of("replicated").not_built("zero1", "zero2"))};
  }
};

}  // namespace sft
