// What an HDF5 file holds, for people: the text of `sft-dist inspect`.
#pragma once

#include <string>

namespace sft {

// Attributes, then each dataset with its type, shape, bytes and storage. With `verify` all of it is read and checked
// too (ours: checksums, samples, content hash; others': every row); DataError at the first thing that is wrong.
std::string describe_hdf5(const std::string& path, bool verify);

}  // namespace sft
