// A plugin, as a user's shared object would bring it: the loss "own_loss", whose slope no built-in loss has, and the
// metric "own_metric", a ratio of sums.
#pragma once

#include <memory>

#include "trainer/plugins/plugins.h"

namespace sft::equivalence {

std::shared_ptr<const Plugins> own_plugins();

}  // namespace sft::equivalence
