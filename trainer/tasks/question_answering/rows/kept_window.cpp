#include "trainer/tasks/question_answering/rows/kept_window.h"

#include "trainer/tasks/question_answering/rows/window_columns.h"

namespace sft {
namespace {

// The entries of sample b in a column along an axis.
template <class T>
std::span<const T> entries(const Batch& batch, size_t b, const char* column, const char* axis) {
  const Offsets& offsets = batch.offsets(axis);
  const auto first = static_cast<size_t>(offsets[b]), end = static_cast<size_t>(offsets[b + 1]);
  return batch.at(column).as<T>().subspan(first, end - first);
}

}  // namespace

bool keeps_windows(const Schema& schema) { return schema.find("context") != nullptr; }

KeptWindow kept_window(const Batch& batch, size_t b) {
  KeptWindow out;
  out.id = text_in(entries<uint8_t>(batch, b, "id", "id_byte"));
  out.piece = {batch.at("context_first").as<int32_t>()[b],
               text_in(entries<uint8_t>(batch, b, "context", "context_byte"))};
  out.first = entries<int32_t>(batch, b, "first", "token");
  out.end = entries<int32_t>(batch, b, "end", "token");
  out.answers = kept_answers(entries<uint8_t>(batch, b, "answers", "answer_byte"),
                             entries<int32_t>(batch, b, "answer_ends", "answer"));
  return out;
}

}  // namespace sft
