#include "trainer/models/model.h"

namespace sft {

Needs Model::needs() const {
  const std::optional<TextLimits> limits = text_limits();
  if (!limits) return {{.column = {.name = "pixels", .number = Number::uint8, .shape = {0, 0, 3}}}};
  return {{.column = {.name = "tokens", .number = Number::int32, .axis = "token", .bound = limits->vocab_size}},
          {.column = {.name = "segments", .number = Number::uint8, .axis = "token", .bound = limits->num_segments},
           .if_there = true}};
}

}  // namespace sft
