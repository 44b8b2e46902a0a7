// Digests of the content of an input's files.
#pragma once

#include <vector>

#include "base/schema.h"
#include "data/samples/peers.h"

namespace sft {

// SHA-256 in hex by path that was asked for, of which `paths` has the files (Input::files()); a path that stands for
// many files has the digest of all theirs. Each rank hashes a run of the files, and all get the same.
StringList digests_of(const std::vector<StringList>& paths, const Peers& peers);

}  // namespace sft
