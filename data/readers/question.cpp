#include "data/readers/question.h"

#include <charconv>
#include <optional>

#include "base/text.h"
#include "base/utf8.h"
#include "data/readers/label.h"

namespace sft {
namespace {

using Kind = Cell::Kind;

constexpr size_t kMostShown = 60;  // bytes of a text, in messages

[[noreturn]] void refuse(const Question& question, const std::string& problem) {
  throw CellProblem{concat("question ", in_quotes(question.id), ": ", problem)};
}

bool is_text(const Cell& cell) { return cell.kind == Kind::text || cell.kind == Kind::plain; }

const Cell& cell_of(const Row& row, const std::string& column) {
  const Cell* cell = row.find(column);
  if (cell == nullptr) throw CellProblem{concat("the row has no ", in_quotes(column))};
  return *cell;
}

const std::string& text_of(const Row& row, const std::string& column) {
  const Cell& cell = cell_of(row, column);
  if (!is_text(cell)) throw CellProblem{concat(in_quotes(column), " is wanted as a string, found ", describe(cell))};
  return cell.text;
}

// What stands at a byte of the context, as long as the answer.
std::string shown_at(std::string_view context, size_t byte, const MarkedAnswer& answer) {
  const std::string_view rest = context.substr(byte);
  const auto end = byte_of_character(rest, num_characters(answer.text));
  return in_quotes(rest.substr(0, end.value_or(rest.size())), kMostShown);
}

// The answer's place may have been counted otherwise; "" where that does not fit either.
std::string other_count(std::string_view context, const MarkedAnswer& answer) {
  const auto stands_at = [&](std::optional<size_t> byte) {
    return byte && *byte <= context.size() && context.substr(*byte).starts_with(answer.text);
  };
  constexpr const char* kCure = "; characters are wanted, code points of Unicode";
  if (stands_at(byte_of_utf16_unit(context, answer.first)))
    return concat(". It is there in units of UTF-16, as JavaScript and Java count", kCure);
  if (answer.first >= 0 && stands_at(static_cast<size_t>(answer.first)))
    return concat(". It is there in bytes of UTF-8", kCure);
  return "";
}

void check_place(const Question& question, const MarkedAnswer& answer) {
  if (answer.text.empty()) refuse(question, "an answer is empty; a question without one has an empty list of answers");
  const auto byte = byte_of_character(question.context, answer.first);
  const std::string_view context = question.context;
  if (byte && context.substr(*byte).starts_with(answer.text)) return;
  const std::string found =
      byte ? shown_at(context, *byte, answer) : concat("nothing: it has ", num_characters(context), " characters");
  refuse(question, concat("the answer ", in_quotes(answer.text, kMostShown), " is not at answer_start = ", answer.first,
                          ", where the context has ", found, other_count(context, answer)));
}

void add_answer(const Cell& text, const Cell& first, Question& out) {
  if (!is_text(text)) refuse(out, concat("an answer's 'text' is wanted as a string, found ", describe(text)));
  if (first.kind != Kind::number || !is_index(first.text))
    refuse(out, concat("an answer's 'answer_start' is wanted as a whole number from 0, found ", describe(first)));
  MarkedAnswer& answer = out.answers.emplace_back();
  answer.text = text.text;
  std::from_chars(first.text.data(), first.text.data() + first.text.size(), answer.first);
  check_place(out, answer);
}

// {"text": […], "answer_start": […]}
void add_columns(const Cell& cell, Question& out) {
  const Cell *texts = cell.find("text"), *firsts = cell.find("answer_start");
  const auto is_list = [](const Cell* list) { return list != nullptr && list->kind == Kind::list; };
  if (!is_list(texts) || !is_list(firsts)) refuse(out, "the object of answers wants lists 'text' and 'answer_start'");
  if (texts->items.size() != firsts->items.size())
    refuse(out, concat("there are ", texts->items.size(), " answers in 'text', but ", firsts->items.size(),
                       " in 'answer_start'"));
  for (size_t i = 0; i < texts->items.size(); ++i) add_answer(texts->items[i], firsts->items[i], out);
}

// [{"text": …, "answer_start": …}]
void add_objects(const Cell& cell, Question& out) {
  for (const Cell& item : cell.items) {
    const Cell *text = item.find("text"), *first = item.find("answer_start");
    if (text == nullptr || first == nullptr)
      refuse(out, "an answer is wanted as an object with 'text' and 'answer_start'");
    add_answer(*text, *first, out);
  }
}

}  // namespace

void read_question(const Row& row, const QuestionCells& columns, Question& out) {
  const Cell& id = cell_of(row, columns.id);
  if (!is_text(id) && id.kind != Kind::number)
    throw CellProblem{concat(in_quotes(columns.id), " is wanted as a string, found ", describe(id))};
  out.id = id.text;
  out.question = text_of(row, columns.question);
  out.context = text_of(row, columns.context);
  out.answers.clear();
}

void read_answers(const Row& row, const QuestionCells& columns, Question& out) {
  const Cell* cell = row.find(columns.answers);
  if (cell == nullptr) refuse(out, concat("there is no ", in_quotes(columns.answers)));
  out.answers.clear();
  if (cell->kind == Kind::nested) {
    add_columns(*cell, out);
  } else if (cell->kind == Kind::list) {
    add_objects(*cell, out);
  } else {
    refuse(out, concat(in_quotes(columns.answers), " is wanted as a list of answers, found ", describe(*cell)));
  }
  const Cell* impossible = row.find("is_impossible");
  if (impossible != nullptr && impossible->text == "true" && !out.answers.empty())
    refuse(out, "is_impossible is true, but there are answers");
}

}  // namespace sft
