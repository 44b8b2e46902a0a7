// Which rows of a text a task looks at, in what the last stage of a model gives.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sft {

enum class Reads { all, first, last, with_target };

struct Reading {
  Reads reads = Reads::all;
  std::vector<int64_t> rows = {};  // of Reads::with_target: rows of the packed batch, ascending
  // Of sources and targets: what the decoder is fed with, packed along the axis "target_token". Nothing: one stream.
  std::optional<std::vector<int32_t>> fed = {};
};

}  // namespace sft
