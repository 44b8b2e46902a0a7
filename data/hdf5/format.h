// The names and numbers of our HDF5 shards; docs/data_format.md tells what they mean.
#pragma once

#include <cstdint>

namespace sft::format {

inline constexpr char kName[] = "sft-dist";
inline constexpr int64_t kVersion = 2;  // version 1 is read too (data/samples/shard_form.h)

// Datasets beside the columns. A checksum covers a block of each column, then of the offsets of each axis, the weights
// and the rows.
inline constexpr char kOffsetsEnding[] = "_offsets";  // "token_offsets"
inline constexpr char kWeights[] = "weights";
inline constexpr char kRows[] = "rows";
inline constexpr char kChecksums[] = "checksums";
inline constexpr int64_t kBlockBytes = int64_t{1} << 20;

// Small objects stand where they fall; a dataset of kAlignFrom bytes or more begins at a multiple of
// kAlignment, so that its blocks are the pages and stripes of the file system.
inline constexpr uint64_t kAlignFrom = 64 * 1024;
inline constexpr uint64_t kAlignment = 1024 * 1024;

// Attributes of the root group.
inline constexpr char kFormat[] = "format";
inline constexpr char kVersionAttribute[] = "version";
inline constexpr char kKind[] = "kind";
inline constexpr char kTask[] = "task";
inline constexpr char kColumns[] = "columns";  // lists, of one entry a column
inline constexpr char kNumbers[] = "numbers";
inline constexpr char kAxes[] = "axes";
inline constexpr char kRoles[] = "roles";
inline constexpr char kBounds[] = "bounds";
inline constexpr char kUnits[] = "units";
inline constexpr char kNumSamples[] = "num_samples";
inline constexpr char kNumRows[] = "num_rows";
inline constexpr char kMaxLength[] = "max_length";
inline constexpr char kTokenizer[] = "tokenizer_sha256";
inline constexpr char kLabelNames[] = "label_names";
inline constexpr char kSourceFiles[] = "source_files";
inline constexpr char kSourceHashes[] = "source_sha256";
inline constexpr char kCommand[] = "creation_command";
inline constexpr char kContentHash[] = "content_hash";

}  // namespace sft::format
