// Keys that say nothing under the other settings.
#pragma once

#include "base/config_file.h"
#include "trainer/config/run_config.h"

namespace sft {

// A warning for each that the user set to another value than the default: a resolved config lists every key.
StringList keys_without_effect(const RunConfig& config, const Origins& origins);

}  // namespace sft
