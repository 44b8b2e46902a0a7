// The sum of word embeddings and of those of positions and segments, where the model has them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace sft {

struct EmbeddingTables {
  at::Tensor word_VC, position_PC, segment_SC;  // a table that is not there is not looked at
  int64_t padding_id = -1;                      // this word's row gets no gradient; -1: every row does
  int64_t padding_position = -1;                // likewise the position's
  // Of the sum, as which rows are added: a table that does not train may be held in a narrower type. Nothing: its own.
  std::optional<at::ScalarType> type = {};
};

// tokens, positions, segments: int64 [N] → [N, C]. An id outside of its table is an error by ATen's check.
at::Tensor embed(const EmbeddingTables& tables, const at::Tensor& tokens_N, const at::Tensor& positions_N,
                 const at::Tensor& segments_N);

}  // namespace sft
