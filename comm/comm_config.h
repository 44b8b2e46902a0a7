// The [comm] section.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

struct CommConfig {
  std::string backend = "auto";
  int64_t bucket_bytes = 26214400;
  double timeout_seconds = 600;

  static constexpr auto fields() {
    return std::tuple{
        field("backend", &CommConfig::backend, "what carries gradients; auto: nccl on GPUs, else mpi, alone solo",
              one_of("auto", "nccl", "mpi", "threads", "solo")),
        field("bucket_bytes", &CommConfig::bucket_bytes, "gradients reduced in one call", at_least(int64_t{1})),
        field("timeout_seconds", &CommConfig::timeout_seconds,
              "a rank that gives no sign of life for longer, while others wait, is named and ends the run",
              above(0.0))};
  }
};

}  // namespace sft
