#include "trainer/tasks/question_answering/recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "data/readers/question.h"
#include "data/text/letters.h"
#include "trainer/tasks/question_answering/windows/window_columns.h"

namespace sft {
namespace {

using nlohmann::json;

// As run_qa.py: some questions begin with so many spaces that no context fits beside them.
std::string_view without_leading_space(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\f\v");
  return first == text.npos ? "" : text.substr(first);
}

class QuestionAnswering final : public Recipe {
 public:
  QuestionAnswering(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer)
      : answers_wanted_(request.labels_required),
        limits_{config.max_length, config.doc_stride},
        tokenizer_(tokenizer),
        use_(request.split == "train" ? WindowUse::training : WindowUse::scoring),
        columns_(tokenizer, config.max_length, use_) {}

  std::unique_ptr<Input> open(const StringList& files) const override { return open_rows(files); }

  std::vector<WantedColumn> wanted_columns() const override {
    std::vector<WantedColumn> wanted = {
        {"id_column", cells_.id}, {"question_column", cells_.question}, {"context_column", cells_.context}};
    if (answers_wanted_) wanted.push_back({"answers_column", cells_.answers});
    return wanted;
  }

  json key() const override {
    return {{"tokenizer", tokenizer_.sha256()},
            {"windows", {limits_.max_length, limits_.stride}},
            {"answers", answers_wanted_},
            {"notes", use_ == WindowUse::scoring}};
  }

  // All questions about one context stay on one side.
  Group group_of(const Row& row, uint64_t seed) const override { return {derive_key(seed, read(row).context)}; }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema = columns_.schema();
    info.max_length = limits_.max_length;
    info.kind = "text_pair";
    info.task = "question_answering";
    info.tokenizer_sha256 = tokenizer_.sha256();
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.rows_are = "questions";
    report.units_are = "tokens";
  }

  size_t rows_at_once() const override { return 1024; }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    std::vector<const Row*> kept;
    const std::vector<Question> questions = read_all(rows, kept, out);
    std::vector<std::string_view> asked, contexts;
    for (const Question& question : questions) {
      asked.push_back(without_leading_space(question.question));
      contexts.push_back(question.context);
    }
    const auto windows = tokenizer_.encode_windows(asked, contexts, limits_);
    Sample sample(columns_.schema());
    for (size_t i = 0; i < questions.size(); ++i) {
      if (!windows[i].problem.empty()) {
        out.refuse(*kept[i], concat("question ", in_quotes(questions[i].id), ": ", windows[i].problem));
        continue;
      }
      out.begin(*kept[i]);
      for (const ContextWindow& window : windows[i].windows) append(window, questions[i], sample, out);
      if (answers_wanted_) count(questions[i], out.report());
    }
  }

 private:
  // BadRow where a cell is missing or cannot be what it is wanted for.
  Question read(const Row& row) const {
    Question question;
    try {
      read_question(row, cells_, question);
      if (answers_wanted_) read_answers(row, cells_, question);
    } catch (const CellProblem& problem) {
      throw BadRow(concat(row.place(), ": ", problem.what));
    }
    return question;
  }

  // The good rows.
  std::vector<Question> read_all(std::span<const Row> rows, std::vector<const Row*>& kept, SampleSink& out) const {
    std::vector<Question> questions;
    for (const Row& row : rows) {
      try {
        questions.push_back(read(row));
        kept.push_back(&row);
      } catch (const BadRow& error) {
        out.refuse(error);
      }
    }
    return questions;
  }

  void append(const ContextWindow& window, const Question& question, Sample& sample, SampleSink& out) const {
    columns_.put(window, question, sample);
    if (answers_wanted_ && sample.cells[columns_.schema().place("span")].as<int32_t>()[0] == 0)
      count_note(out.report(), "windows do not hold the whole answer; their target is the first token");
    out.append(sample);
  }

  static void count(const Question& question, PrepareReport& report) {
    if (question.answers.empty()) count_note(report, "questions have no answer in their context");
  }

  QuestionCells cells_;
  bool answers_wanted_;
  WindowLimits limits_;
  const Tokenizer& tokenizer_;
  WindowUse use_;
  WindowColumns columns_;
};

}  // namespace

std::unique_ptr<Recipe> question_answering_recipe(const PrepareRequest& request, const DataConfig& config,
                                                  const Tokenizer* tokenizer) {
  return std::make_unique<QuestionAnswering>(request, config, *tokenizer);
}

}  // namespace sft
