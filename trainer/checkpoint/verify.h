// Whether a directory holds a checkpoint that can be believed.
#pragma once

#include <string>

#include "comm/communicator.h"
#include "trainer/checkpoint/manifest.h"

namespace sft {

struct Verified {
  Manifest manifest;
  nlohmann::json state;  // trainer_state.json
};

// Every rank calls with the same directory, which rank 0 must be able to read and the others share.
// Checks the manifest, every file's size and every file's checksum, the files shared among the ranks. The same
// error on every rank: bad content where anything is off, naming the file.
Verified verify_checkpoint(const std::string& directory, Communicator& control);

// Likewise, of the files with the weights alone. A directory that is no checkpoint has none to compare.
void verify_weights(const std::string& directory, Communicator& control);

}  // namespace sft
