// What is kept of a window beside its tokens, read out of a batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/tasks/question_answering/rows/context_piece.h"

namespace sft {

// Borrowed from the batch, but for the answers.
struct KeptWindow {
  std::string_view id;
  ContextPiece piece;
  std::span<const int32_t> first, end;  // characters of each token, −1 outside the context
  std::vector<std::string> answers;     // the true ones
};

// Whether the batch has the notes of WindowUse::scoring.
bool keeps_windows(const Schema& schema);

KeptWindow kept_window(const Batch& batch, size_t b);

}  // namespace sft
