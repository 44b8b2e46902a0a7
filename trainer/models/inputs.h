// A batch as models and tasks take it: tensors on their device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/models/blocks/key_value_cache.h"
#include "trainer/models/blocks/sequence_groups.h"
#include "trainer/models/reading.h"

namespace sft {

// The M rows of a batch that somebody looks at: the last block asks for no other.
struct ReadRows {
  std::vector<int64_t> offsets;  // [B+1]: of each sequence's rows among the M; a sequence may have none
  at::Tensor rows_M;             // int64: which of the N
  at::Tensor positions_M;        // int64
  at::Tensor draws_M;            // int64
  SequenceGroups groups;         // on a device
};

// N packed tokens, B sequences.
struct TextInputs {
  at::Tensor tokens_N;                // int64
  at::Tensor positions_N;             // int64
  at::Tensor segments_N;              // int64
  at::Tensor draws_N;                 // int64: the draw of the sequence that each row belongs to; keys dropout
  at::Tensor draws_B;                 // int64
  SequenceGroups groups;              // on a device: how attention cuts the batch
  std::vector<int64_t> host_offsets;  // [B+1]
  std::optional<ReadRows> read;       // nothing: all N
  int64_t most_positions = 0;         // above every position
  KeyValueCache* cache = nullptr;     // in generation: what was read before; borrowed

  int64_t num_sequences() const { return static_cast<int64_t>(host_offsets.size()) - 1; }
};

// B sources and what is written from each: N_s packed tokens of sources, N_t of targets. In generation the sources are
// those that were not read before, and may be fewer, or none.
struct PairInputs {
  TextInputs source;
  TextInputs target;                      // its tokens are those that the decoder is fed with
  SequenceGroups crossed;                 // on a device: the targets' rows over those of the sources
  KeyValueCache* kept_sources = nullptr;  // in generation: keys and values of sources, block by block; borrowed
};

// B images.
struct ImageInputs {
  at::Tensor pixels_BHWC;  // uint8; of explanations floating, 0 … 255
  at::Tensor draws_B;      // int64
};

using Inputs = std::variant<TextInputs, ImageInputs, PairInputs>;
inline const TextInputs& text_of(const Inputs& inputs) { return std::get<TextInputs>(inputs); }
inline const ImageInputs& images_of(const Inputs& inputs) { return std::get<ImageInputs>(inputs); }
inline const PairInputs& pair_of(const Inputs& inputs) { return std::get<PairInputs>(inputs); }
inline const at::Tensor& draws_of(const Inputs& inputs) {
  if (const auto* pair = std::get_if<PairInputs>(&inputs)) return pair->source.draws_B;
  if (const auto* images = std::get_if<ImageInputs>(&inputs)) return images->draws_B;
  return text_of(inputs).draws_B;
}

// A column of the batch as a tensor in host memory, [entries, …], without a copy: gone with the batch.
at::Tensor view_of(const Batch& batch, const std::string& column);

// The columns "tokens" and, where there are some, "segments" of texts, "pixels" of pictures, which are read whole. With
// tokens that a decoder is fed with, "tokens" are sources, and all rows of targets are read.
Inputs to_device(const Batch& batch, const at::Device& device, const Reading& reading = {});

}  // namespace sft
