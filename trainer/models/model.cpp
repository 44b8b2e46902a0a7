#include "trainer/models/model.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

Needs Model::needs() const {
  const std::optional<TextLimits> limits = text_limits();
  if (!limits) return {{.column = {.name = "pixels", .number = Number::uint8, .shape = {0, 0, 3}}}};
  return {{.column = {.name = "tokens", .number = Number::int32, .axis = "token", .bound = limits->vocab_size}},
          {.column = {.name = "segments", .number = Number::uint8, .axis = "token", .bound = limits->num_segments},
           .if_there = true}};
}

void require_side(const Model& model, int64_t height, int64_t width) {
  if (std::min(height, width) < model.least_side())
    throw ConfigError(concat("images are ", height, " × ", width, ", and this model (",
                             model.config().value("model_type", "?"), ") takes sides of ", model.least_side(),
                             " pixels or more; set data.image_size to ", model.least_side(), " or more"));
}

}  // namespace sft
