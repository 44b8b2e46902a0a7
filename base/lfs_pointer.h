// What Git leaves in place of a large file that was not fetched: a few lines that name it (Git LFS, docs/spec.md).
#pragma once

#include <string>

namespace sft {

// DataError naming the file and how to fetch it, where an open file is such a pointer. Its position stays.
void refuse_lfs_pointer(int descriptor, const std::string& path);

}  // namespace sft
