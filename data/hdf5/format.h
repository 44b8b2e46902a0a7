// The names and numbers of our HDF5 shards; docs/data_format.md tells what they mean.
#pragma once

#include <array>
#include <cstdint>

namespace sft::format {

inline constexpr char kName[] = "sft-dist";
inline constexpr int64_t kVersion = 1;

// Datasets. A checksum covers a block of each of the first five, in this order.
inline constexpr char kTokens[] = "tokens";
inline constexpr char kOffsets[] = "offsets";
inline constexpr char kSegments[] = "segments";
inline constexpr char kLabels[] = "labels";
inline constexpr char kWeights[] = "weights";
inline constexpr char kChecksums[] = "checksums";
inline constexpr char kPixels[] = "pixels";  // of an image shard, which has labels and checksums beside it
inline constexpr std::array kCovered = {kTokens, kOffsets, kSegments, kLabels, kWeights};
inline constexpr int64_t kBlockBytes = int64_t{1} << 20;

// Tokens take two bytes where each is below this.
inline constexpr int64_t kSmallVocabulary = 65536;

// Small objects stand where they fall; a dataset of kAlignFrom bytes or more begins at a multiple of
// kAlignment, so that its blocks are the pages and stripes of the file system.
inline constexpr uint64_t kAlignFrom = 64 * 1024;
inline constexpr uint64_t kAlignment = 1024 * 1024;

// Attributes of the root group.
inline constexpr char kFormat[] = "format";
inline constexpr char kVersionAttribute[] = "version";
inline constexpr char kKind[] = "kind";
inline constexpr char kImageKind[] = "image";
inline constexpr char kTask[] = "task";
inline constexpr char kTarget[] = "target";
inline constexpr char kNumSamples[] = "num_samples";
inline constexpr char kMaxLength[] = "max_length";
inline constexpr char kVocabSize[] = "vocab_size";
inline constexpr char kNumLabels[] = "num_labels";
inline constexpr char kTokenizer[] = "tokenizer_sha256";
inline constexpr char kLabelNames[] = "label_names";
inline constexpr char kSourceFiles[] = "source_files";
inline constexpr char kSourceHashes[] = "source_sha256";
inline constexpr char kCommand[] = "creation_command";
inline constexpr char kContentHash[] = "content_hash";

}  // namespace sft::format
