// The [log] section.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

struct LogConfig {
  double logging_steps = 10;
  StringList report_to = {"tensorboard"};
  std::string progress = "auto";
  bool sample_ids = false;
  int64_t trace = 0;

  static constexpr auto fields() {
    return std::tuple{
        field("logging_steps", &LogConfig::logging_steps,
              "updates between two lines of metrics.jsonl; below 1 a share of all", above(0.0)),
        field("report_to", &LogConfig::report_to, "sinks beside metrics.jsonl",
              each_of("tensorboard", "none").not_built("wandb", "mlflow", "comet_ml", "clearml", "trackio", "all")),
        field("progress", &LogConfig::progress,
              "what the terminal shows; auto: a bar on a terminal, that of mpirun too, lines elsewhere",
              one_of("auto", "bar", "lines", "none")),
        field("sample_ids", &LogConfig::sample_ids, "write the global ids of each update's samples to metrics.jsonl"),
        field("trace", &LogConfig::trace,
              "first updates of a start to trace on every rank, into trace.json for ui.perfetto.dev",
              at_least(int64_t{0}))};
  }
};

}  // namespace sft
