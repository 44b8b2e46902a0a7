// What fields say together that none of them can say alone. Each throws ConfigError with place and key.
#pragma once

#include <string>

#include "base/config_file.h"
#include "trainer/config/run_config.h"

namespace sft {

[[noreturn]] void refuse_key(const Origins& origins, const std::string& key, const std::string& what);

// The keys that no run is without are there; `path` is the file that should have them.
void require_given(const RunConfig& config, const std::string& path);

// The task is one that is built.
void check_task(const std::string& task, const Origins& origins);

// All else, once the task's own defaults are in; what is allowed and seldom meant is added to `warnings`.
void check_together(const RunConfig& config, const Origins& origins, StringList& warnings);

}  // namespace sft
