// How contexts are cut: a setting that [data] lists among its own, named as in transformers' run_qa.py.
#pragma once

#include <cstdint>

#include "base/schema.h"

namespace sft {

struct WindowConfig {
  int64_t doc_stride = -1;

  static constexpr auto fields() {
    return std::tuple{
        field("doc_stride", &WindowConfig::doc_stride,
              "of questions: tokens of a context that a window shares with the one before; -1: a third of max_length",
              at_least(int64_t{-1}))};
  }
};

}  // namespace sft
