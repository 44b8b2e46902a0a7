// Which datasets of a shard hold what: by the attributes of version 2, by a rule for version 1.
#pragma once

#include <cstdint>

#include "data/hdf5/guard.h"
#include "data/samples/schema.h"

namespace sft {

// Whether the file says that it is one of ours.
bool is_shard(const GuardedFile& file);

struct ShardForm {
  Schema schema;
  StringList datasets;       // that of each column
  StringList offsets;        // that of each of schema.axes()
  bool has_weights = false;  // in dataset "weights"
  bool has_rows = false;     // in dataset "rows"; else sample i was made of row i
  StringList covered;        // the datasets in the order of their checksums
  int64_t num_samples = 0, num_rows = 0;
  int64_t max_length = 1;  // no sample has more units
  uint64_t content_hash = 0;
  std::string tokenizer_sha256;
  StringList label_names;
};

// DataError naming file and attribute or dataset where they contradict each other.
ShardForm form_of(const GuardedFile& file);

// The rule: the datasets "tokens" and "segments" lie along the axis of "offsets", "pixels" are a picture a sample, and
// the attribute "target" tells what "labels" are.
ShardForm form_of_version_1(const GuardedFile& file);

}  // namespace sft
