#include "trainer/tasks/question_answering/recipe.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "data/readers/question.h"
#include "trainer/tasks/question_answering/rows/window_columns.h"
#include "trainer/tasks/question_answering/rows/window_config.h"
#include "trainer/tasks/recipes/cells.h"

namespace sft {
namespace {

using nlohmann::json;

struct QuestionRow {
  const Row* row = nullptr;
  Question question = {};
};

// As run_qa.py: some questions begin with so many spaces that no context fits beside them.
std::string_view without_leading_space(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\f\v");
  return first == text.npos ? "" : text.substr(first);
}

QuestionCells cells_of(const DataConfig& config) {
  if (config.text_column.size() != 1) throw ConfigError("data.text_column: a question comes from one column");
  QuestionCells cells;
  cells.question = config.text_column.front();
  if (!config.text_pair_column.empty()) cells.context = config.text_pair_column;
  cells.answers = config.label_column;
  return cells;
}

WindowLimits limits_of(const DataConfig& config) {
  const int64_t stride = config.extra.of<WindowConfig>().doc_stride;
  return {config.max_length, stride >= 0 ? stride : config.max_length / 3};
}

// A fact of the census; names of any length become keys of one.
std::string place_of_id(const std::string& id) { return std::to_string(derive_key(0, id)); }

class QuestionAnswering final : public Recipe {
 public:
  QuestionAnswering(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer)
      : config_(config),
        cells_(cells_of(config)),
        answers_wanted_(request.labels_required),
        limits_(limits_of(config)),
        tokenizer_(tokenizer),
        use_(request.split == "train" ? WindowUse::training : WindowUse::scoring),
        columns_(tokenizer, config.max_length, use_) {}

  std::unique_ptr<Input> open(const StringList& files) const override { return open_rows(files, config_); }

  std::vector<WantedColumn> wanted_columns() const override {
    return {{"text_column", cells_.question},
            {"text_pair_column", cells_.context},
            {"label_column", answers_wanted_ ? cells_.answers : ""}};
  }

  json key() const override {
    return {{"tokenizer", tokenizer_.sha256()},
            {"columns", {cells_.question, cells_.context, cells_.answers}},
            {"windows", {limits_.max_length, limits_.stride}},
            {"answers", answers_wanted_},
            {"notes", use_ == WindowUse::scoring}};
  }

  // An id names one question of all files.
  bool wants_survey() const override { return true; }
  void survey(const Row& row, Census& into) const override { into.tell(place_of_id(read(row).id), row.place()); }
  void settle(const Census& all) override { all_ = all; }

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
    const auto read = read_rows(rows, out, [&](const Row& row) { return QuestionRow{&row, read_once(row)}; });
    const std::vector<ContextWindows> found = encode(read);
    Sample sample(columns_.schema());
    for (size_t i = 0; i < read.size(); ++i) {
      const auto& [row, question] = read[i];
      if (!found[i].problem.empty()) {
        out.refuse(BadRow(concat(row->place(), ": question ", in_quotes(question.id), ": ", found[i].problem)));
        continue;
      }
      out.begin(*row);
      for (const ContextWindow& window : found[i].windows) append(window, question, sample, out);
      if (answers_wanted_ && question.answers.empty())
        count_note(out.report(), "questions have no answer in their context");
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

  // BadRow also where another row has the id.
  Question read_once(const Row& row) const {
    Question question = read(row);
    const std::string first = all_.told(place_of_id(question.id));
    if (first != row.place())
      throw BadRow(concat(row.place(), ": question ", in_quotes(question.id), ": ", first, " has this id already"));
    return question;
  }

  std::vector<ContextWindows> encode(const std::vector<QuestionRow>& rows) const {
    std::vector<std::string_view> questions, contexts;
    for (const auto& [row, question] : rows) {
      questions.push_back(without_leading_space(question.question));
      contexts.push_back(question.context);
    }
    return tokenizer_.encode_windows(questions, contexts, limits_);
  }

  void append(const ContextWindow& window, const Question& question, Sample& sample, SampleSink& out) const {
    columns_.put(window, question, sample);
    const auto span = std::as_const(sample.cells[columns_.schema().place("span")]).as<int32_t>();
    if (!question.answers.empty() && span[0] == 0)
      count_note(out.report(), "windows of answered questions do not hold the whole answer; <cls> is their target");
    out.append(sample);
  }

  const DataConfig& config_;
  QuestionCells cells_;
  bool answers_wanted_;
  WindowLimits limits_;
  const Tokenizer& tokenizer_;
  WindowUse use_;
  WindowColumns columns_;
  Census all_;  // where each id stands first
};

}  // namespace

std::unique_ptr<Recipe> question_answering_recipe(const PrepareRequest& request, const DataConfig& config,
                                                  const Tokenizer* tokenizer) {
  return std::make_unique<QuestionAnswering>(request, config, *tokenizer);
}

}  // namespace sft
