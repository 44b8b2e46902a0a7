#include "data/readers/squad.h"

#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "data/readers/json_row.h"
#include "data/readers/json_walk.h"

namespace sft::squad {
namespace {

// Walks to each paragraph in turn.
class Paragraphs {
 public:
  explicit Paragraphs(const std::string& path) : walk_(path) {}

  // Its JSON, valid until the next call; false behind the last one.
  bool next(std::string_view& text) {
    while (true) {
      switch (level_) {
        case Level::before:
          walk_.enter('{');
          level_ = Level::document;
          break;
        case Level::document:
          if (!enter_list("data", Level::data)) return finish();
          break;
        case Level::data:
          if (walk_.next_item(']')) {
            walk_.enter('{');
            level_ = Level::article;
          } else {
            level_ = Level::document;
          }
          break;
        case Level::article:
          if (!enter_list("paragraphs", Level::paragraphs)) level_ = Level::data;
          break;
        case Level::paragraphs:
          if (walk_.next_item(']')) {
            text = walk_.value();
            return true;
          }
          level_ = Level::article;
          break;
        case Level::behind:
          return false;
      }
    }
  }

  int64_t line() const { return walk_.line(); }

 private:
  enum class Level { before, document, data, article, paragraphs, behind };

  bool enter_list(std::string_view name, Level inside) {
    if (!walk_.find(name)) return false;
    walk_.enter('[');
    level_ = inside;
    return true;
  }

  bool finish() {
    walk_.end();
    level_ = Level::behind;
    return false;
  }

  JsonWalk walk_;
  Level level_ = Level::before;
};

// The member, which must be a string; CellProblem where it is not. Who throws on knows the place.
Cell& text_of(Cell* cell, const char* name) {
  if (cell == nullptr) throw CellProblem{concat("has no ", in_quotes(name))};
  if (cell->kind != Cell::Kind::text)
    throw CellProblem{concat("has ", in_quotes(name), " that is no string: ", describe(*cell))};
  return *cell;
}

class SquadReader final : public Reader {
 public:
  explicit SquadReader(const std::string& path) : path_(path), paragraphs_(path) {}

  bool next(Row& row) override {
    while (next_ == num_questions()) {
      std::string_view text;
      questions_ = nullptr;
      if (!paragraphs_.next(text)) return false;
      read_paragraph(text);
    }
    read_question(questions_->items[next_++], row);
    return true;
  }

 private:
  std::string place() const { return concat(path_, ":", paragraphs_.line(), ": "); }
  size_t num_questions() const { return questions_ == nullptr ? next_ : questions_->items.size(); }

  void read_paragraph(std::string_view text) {
    paragraph_.line = paragraphs_.line();
    try {
      parse_json_row(text, path_, paragraph_);
    } catch (const BadRow& error) {
      throw BadRow(concat(error.what(), " (of the paragraph that begins here)"));
    }
    try {
      context_ = text_of(paragraph_.find("context"), "context").text;
      Cell* const questions = paragraph_.find("qas");
      if (questions == nullptr || questions->kind != Cell::Kind::list) throw CellProblem{"has no list 'qas'"};
      questions_ = questions;
      next_ = 0;
    } catch (const CellProblem& problem) {
      throw BadRow(concat(place(), "the paragraph that begins here ", problem.what));
    }
  }

  void read_question(Cell& question, Row& row) {
    row.clear();
    row.line = paragraphs_.line();
    std::string name = concat("question ", next_, " of the paragraph that begins here");
    try {
      if (question.kind != Cell::Kind::nested) throw CellProblem{concat("is no object: ", describe(question))};
      Cell& id = text_of(question.find("id"), "id");
      name = concat("question ", in_quotes(id.text));
      if (!ids_.insert(id.text).second) throw CellProblem{"stands in this file before: an id names one question"};
      std::swap(row.add("id"), id);
      std::swap(row.add("question"), text_of(question.find("question"), "question"));
      row.add("context") = {Cell::Kind::text, context_};
      for (const char* optional : {"answers", "is_impossible"})
        if (Cell* const cell = question.find(optional)) std::swap(row.add(optional), *cell);
    } catch (const CellProblem& problem) {
      throw BadRow(concat(place(), name, " ", problem.what));
    }
  }

  std::string path_;
  Paragraphs paragraphs_;
  Row paragraph_;              // read last
  std::string context_;        // of it
  Cell* questions_ = nullptr;  // of it; none where it has none that can be read
  size_t next_ = 0;            // of its questions
  std::unordered_set<std::string> ids_;
};

}  // namespace

bool is_squad(const std::string& path) {
  try {
    JsonWalk walk(path);
    walk.enter('{');
    if (!walk.find("data")) return false;
    walk.enter('[');
    if (!walk.next_item(']')) return true;
    walk.enter('{');
    return walk.find("paragraphs");
  } catch (const DataError&) {
    return false;  // the reader of JSON lines tells what is wrong
  }
}

std::unique_ptr<Reader> open(const std::string& path) { return std::make_unique<SquadReader>(path); }

}  // namespace sft::squad
