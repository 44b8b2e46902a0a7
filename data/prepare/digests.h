// Digests of the content of an input's files.
#pragma once

#include "data/prepare/input.h"

namespace sft {

// SHA-256 in hex by path that was asked for; a path that stands for many files has the digest of all theirs. Each rank
// hashes a run of the files, and all get the same.
StringList digests_of(const Input& input, const Peers& peers);

}  // namespace sft
