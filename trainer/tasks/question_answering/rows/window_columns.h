// A window as columns of a sample: tokens, segments and the target; and, where it will be scored or predicted, what an
// answer is cut from and held against.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/readers/question.h"
#include "data/samples/sample.h"
#include "data/text/tokenizer.h"
#include "trainer/tasks/question_answering/rows/context_piece.h"

namespace sft {

// training: the model's inputs and the target. scoring: and notes for scores and predictions.
enum class WindowUse { training, scoring };

// The first and the last token of an answer. max_length 0: in windows of any length.
inline Column span_column(int64_t max_length) {
  return {.name = "span", .number = Number::int32, .shape = {2}, .bound = max_length, .role = Role::target};
}

class WindowColumns {
 public:
  // Of windows of at most `max_length` tokens of this tokenizer.
  WindowColumns(const Tokenizer& tokenizer, int64_t max_length, WindowUse use);

  // "tokens" and "segments", where the tokenizer tells the question from the context, along "token"; "span" [2]: the
  // first and the last token of the answer. training: "no_answer", 1 where the question has none, so that the bound of
  // the column tells whether there is such a question. scoring, notes: "first" and "end" along "token" (characters of
  // the context, −1 outside), "context" (UTF-8 of the window's piece) from the character "context_first" on, "id", and
  // "answers" (UTF-8 end to end) with the byte at which each ends, "answer_ends".
  const Schema& schema() const { return schema_; }

  // Fills the cells of a sample of this schema.
  void put(const ContextWindow& window, const Question& question, Sample& sample) const;

 private:
  void put_notes(const ContextWindow& window, const Question& question, Sample& sample) const;
  Packed& cell(Sample& sample, const char* column) const { return sample.cells[schema_.place(column)]; }

  Schema schema_;
  bool has_segments_ = false;
  WindowUse use_;
};

// Whether windows of this schema, of a training split, are known to be of questions some of which have no answer.
bool lacks_answers(const Schema& schema);

// The answers that are kept in two cells.
std::vector<std::string> kept_answers(std::span<const uint8_t> answers, std::span<const int32_t> ends);

inline std::string_view text_in(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace sft
