// The activations of the frozen stages for a dataset, in a file for later runs. The name of the file is a digest of all
// that the activations follow from, which the file holds too: other weights, rows or settings look for another file.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "base/file_ops.h"
#include "data/samples/dataset.h"
#include "trainer/learner/learner.h"

namespace sft {

// All that the activations follow from: the rows by their fingerprint, the frozen weights by their digests, the
// model's config, what is read of a row, and `dtype`, the type that it is computed in.
std::string activation_key(const Learner& learner, const Dataset& dataset, const std::string& dtype);

// Rows are mapped read only, so that the ranks of a node share one copy. Undefined where no file has that key;
// DataError for a damaged file.
Activations read_activations(const std::string& directory, const std::string& key);

// Whether write_activations left the file: by the key in it, whose digest is its name.
bool is_activation_file(const std::string& path);

// The file has another name until it is whole. StorageError where it cannot be written.
void write_activations(FileOps& files, const std::string& directory, const std::string& key, const Activations& all);

}  // namespace sft
