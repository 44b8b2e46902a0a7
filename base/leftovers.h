// Names of what is being made, which tell whether its maker still lives. A process that is killed cleans up nothing;
// whoever makes the same thing next does.
#pragma once

#include <string>
#include <string_view>

#include "base/file_ops.h"

namespace sft {

// "<path>.<mark>-<host>-<process>": what this process makes that is to be called `path`.
std::string name_in_progress(const std::string& path, std::string_view mark);

// Removes what dead processes of this host left under such names beside `path`, marks that go on behind a dot included.
// What another host's or a living process makes stays. A failure leaves more than asked.
void remove_leftovers(FileOps& files, const std::string& path, std::string_view mark);

// Whether a file's name is one that a dead process of this host gave with name_in_progress.
bool is_left_over(std::string_view file_name);

}  // namespace sft
