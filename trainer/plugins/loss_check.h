// Does a plugin's loss keep what sft-dist/plugin.h asks of it? Tried before it trains.
#pragma once

#include <cstdint>

#include "trainer/plugins/plugins.h"

namespace sft {

// What rows are to come to.
enum class RowTargets { label, label_set, numbers };

// ConfigError naming loss and file where, of drawn rows of so many outputs, the loss is not finite, is another the next
// time or behind other rows, leaves elements of the gradient out, or has a gradient that is not its own: compared with
// central differences in float64, at places where the differences to both sides agree.
void require_sound(const PluginLoss& loss, RowTargets targets, int64_t num_outputs);

}  // namespace sft
