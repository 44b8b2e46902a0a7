// Commands that a user can copy.
#pragma once

#include <string>

#include "launch/command_line/command_line.h"

namespace sft {

// For a shell: what holds other than plain characters stands in single quotes.
std::string quoted_for_shell(const std::string& word);

// The config or run of a command and its settings, as a shell reads them: "run.toml seed=1".
std::string target_in_shell(const Arguments& arguments);

}  // namespace sft
