// The [save] section.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

struct SaveConfig {
  std::string save_strategy = "epoch";
  double save_steps = 500;
  int64_t save_total_limit = 3;
  bool save_only_model = false;
  bool save_on_signal = true;
  int64_t max_shard_bytes = 5'000'000'000;

  static constexpr auto fields() {
    return std::tuple{
        field("save_strategy", &SaveConfig::save_strategy, "when a checkpoint is written",
              one_of("no", "steps", "epoch", "best")),
        field("save_steps", &SaveConfig::save_steps, "updates between checkpoints; below 1 a share of all", above(0.0)),
        field("save_total_limit", &SaveConfig::save_total_limit, "checkpoints kept, the best one beside them; 0: all",
              at_least(int64_t{0})),
        field("save_only_model", &SaveConfig::save_only_model,
              "leave optimizer state out: such a checkpoint cannot be resumed"),
        field("save_on_signal", &SaveConfig::save_on_signal, "USR1, USR2 and TERM write a checkpoint and exit 75"),
        field("max_shard_bytes", &SaveConfig::max_shard_bytes,
              "the model that a run leaves stands in several files with an index where its weights have more bytes; 0: "
              "in one file",
              at_least(int64_t{0}))
            .changeable()};
  }
};

}  // namespace sft
