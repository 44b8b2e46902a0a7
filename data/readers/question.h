// A question that a text answers, read from the cells of a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/readers/row.h"

namespace sft {

// An answer and where it is marked in the context.
struct MarkedAnswer {
  std::string text;
  int64_t first = 0;  // its first character there, code points of Unicode counted from 0
};

struct Question {
  std::string id, question, context;
  std::vector<MarkedAnswer> answers;  // none: the context does not tell
};

// The columns that hold them.
struct QuestionCells {
  std::string id = "id", question = "question", context = "context", answers = "answers";
};

// CellProblem naming the question's id where a cell is missing or is not what is wanted.

// All but the answers.
void read_question(const Row& row, const QuestionCells& columns, Question& out);

// The answers, in SQuAD's layout, [{"text": …, "answer_start": …}], or that of datasets, {"text": […], "answer_start":
// […]}. Each must stand in the context, read before, where it says.
void read_answers(const Row& row, const QuestionCells& columns, Question& out);

}  // namespace sft
