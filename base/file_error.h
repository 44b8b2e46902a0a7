// What std::filesystem throws where a path cannot even be looked at: too long a name, no permission, a broken disk.
#pragma once

#include <filesystem>

#include "base/errors.h"

namespace sft {

// "'PATH': REASON", as 81 where the file system fails or is full, as 82 where memory is short, else as 78: the path
// that was given is at fault.
Error told(const std::filesystem::filesystem_error& error);

}  // namespace sft
