// The [hooks] section: commands of the user's.
#pragma once

#include "base/schema.h"

namespace sft {

struct HooksConfig {
  StringList on_evaluation = {};
  double kill_after_seconds = 30;

  static constexpr auto fields() {
    return std::tuple{field("on_evaluation", &HooksConfig::on_evaluation,
                            "a command and its arguments, run on rank 0 after each evaluation with its metrics as JSON "
                            "on standard input; that it fails is warned of, and ends nothing"),
                      field("kill_after_seconds", &HooksConfig::kill_after_seconds,
                            "a command that takes longer is killed; the other ranks wait meanwhile", above(0.0))};
  }
};

}  // namespace sft
