#include "trainer/tasks/text_classification/recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/prepare/report.h"
#include "data/readers/lines.h"
#include "trainer/tasks/recipes/cells.h"
#include "trainer/tasks/recipes/class_names.h"
#include "trainer/tasks/recipes/label_doubts.h"
#include "trainer/tasks/recipes/probability_cells.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/recipes/target_cells.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/recipes/text_rows.h"
#include "trainer/tasks/recipes/token_columns.h"

namespace sft {
namespace {

using nlohmann::json;

// Facts of a glance.
constexpr char kType[] = "problem type", kNumbers[] = "numbers", kLists[] = "lists", kFlags[] = "flags",
               kNoFlags[] = "no flags";
// Facts of a survey.
constexpr char kSoft[] = "probabilities", kWidth[] = "probabilities in a list";

class TextClassification final : public Recipe {
 public:
  TextClassification(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer)
      : request_(request),
        config_(config),
        tokens_(config, tokenizer),
        rows_(request, config),
        classes_(request),
        keeps_notes_(request.keep_notes && request.labels_required && request.problem_type == kOneLabel) {
    const std::string type = request.labels_required ? request.problem_type : kOneLabel;
    const bool is_told = !type.empty() && type != kLabelSet && (type != kRealNumbers || request.num_targets > 0);
    if (is_told) target_ = target_of(type, request.num_targets);
  }

  std::unique_ptr<Input> open(const StringList& files) const override { return open_rows(files, config_); }
  std::vector<WantedColumn> wanted_columns() const override { return rows_.columns(); }

  json key() const override {
    StringList columns;
    for (const WantedColumn& column : rows_.columns()) columns.push_back(column.name);
    json key{{"tokens", tokens_.key()},
             {"columns", columns},
             {"target", {request_.problem_type, request_.num_targets, config_.label_separator}},
             {"labels", classes_.key()}};
    if (config_.normalize_label_probabilities) key["normalizes"] = true;
    if (keeps_notes_) key["notes_of"] = request_.files;  // places name the files
    return key;
  }

  bool wants_glance() const override { return !target_; }

  bool glance(const Row& row, Census& into) const override {
    const Cell* cell = row.find(config_.label_column);
    if (cell == nullptr) return false;
    const int64_t count = count_values(*cell, config_.label_separator);
    if (count > 0) into.tell(kNumbers, std::to_string(count));
    if (cell->kind == Cell::Kind::list) into.tell(kLists, "");
    const std::string type = request_.problem_type.empty() ? problem_type_told_by(*cell) : request_.problem_type;
    if (!type.empty()) into.tell(kType, type);
    tell_flags(*cell, into);
    return into.knows(kType) && into.knows(kNumbers) && into.knows(kNoFlags);
  }

  void expect(const Census& told) override {
    const char* of_whole_numbers = told.knows(kLists) ? kLabelSet : kOneLabel;
    const int64_t count = told.knows(kNumbers) ? std::stoll(told.told(kNumbers)) : 0;
    const std::string type = !request_.problem_type.empty() ? request_.problem_type
                             : told.knows(kType)            ? told.told(kType)
                                                            : of_whole_numbers;
    const bool are_flags = type == kLabelSet && told.knows(kFlags) && !told.knows(kNoFlags);
    if (are_flags && classes_.number(std::stoll(told.told(kFlags))))
      target_ = make_flags(std::ssize(classes_.names()), config_.label_separator);
    else
      target_ = target_of(type, count);
  }

  bool wants_survey() const override {
    const bool may_be_soft =
        request_.labels_required && target_->has_strata() && may_hold_probabilities(request_.files);
    return target_->has_classes() && (classes_.are_open() || may_be_soft);
  }

  void survey(const Row& row, Census& into) const override {
    const Answer answer = rows_.read(row, *target_).answer;
    for (const Label& label : answer.labels) into.labels.add(label);
    for (const int64_t id : answer.ids) into.labels.add({classes_.names()[static_cast<size_t>(id)], false});
    if (answer.probabilities.empty()) return;
    into.tell(kSoft, "");
    if (answer.labels.empty()) into.tell(kWidth, std::to_string(answer.probabilities.size()));
  }

  void settle(const Census& all) override {
    is_soft_ = all.knows(kSoft);
    if (!classes_.are_open()) return;
    const bool only_lists = all.knows(kWidth) && all.labels.labels().empty();
    if (only_lists && classes_.number(std::stoll(all.told(kWidth))) && classes_.names().size() > 1) return;
    classes_.settle(all.labels, target_->least_classes(), "rows",
                    concat(" (data.label_column = ", in_quotes(config_.label_column), ")"));
  }

  Group group_of(const Row& row, uint64_t seed) const override {
    const TextRow read = rows_.read(row, *target_);
    Group group = rows_.group_of(read, seed);
    if (target_->has_strata()) group.stratum = likeliest_name(read.answer);
    return group;
  }

  ShardInfo shard() const override {
    ShardInfo info = tokens_.shard(schema());
    info.task = "text_classification";
    if (target_->has_classes()) info.label_names = classes_.names();
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.units_are = "tokens";
    target_->describe(report);
    if (!target_->has_classes()) return;
    report.label_names = classes_.names();
    if (classes_.are_open()) report.warnings = doubts_of_labels(classes_.names());
    if (request_.labels_required) report.label_counts.resize(report.label_names.size());
    if (is_soft_) report.notes["a row's label is a probability for each label"] = {};
  }

  size_t rows_at_once() const override { return 1024; }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    const std::vector<TextRow> read = read_rows(rows, out, [&](const Row& row) { return read_known(row); });
    const std::vector<Encoding> encodings = encode(read);
    const Column target = target_column();
    const Schema columns = schema();
    Sample sample(columns);
    for (size_t i = 0; i < read.size(); ++i) {
      if (!tokens_.begin(*read[i].row, encodings[i], sample, out)) continue;
      target_->put(read[i].answer, target, sample.cells[TokenColumns::kTarget]);
      sample.weight = read[i].weight;
      if (is_soft_) sample.cells[columns.place(distribution_column(0).name)].set(read[i].answer.probabilities);
      if (rows_.has_teacher())
        sample.cells[columns.place(teacher_logits_column(0).name)].set(read[i].answer.teacher_logits);
      if (keeps_notes_) put_row_notes(read[i], columns, sample);
      if (is_blank(read[i].text()) && is_blank(read[i].pair))
        count_note(out.report(), "rows have no text", read[i].row->place());
      out.append(sample);
      for (const int64_t id : read[i].answer.ids) count_label(out.report(), id);
    }
  }

 private:
  std::unique_ptr<Target> target_of(const std::string& type, int64_t count) const {
    return make_target(
        type, count, config_.label_separator,
        {.are_normalized = config_.normalize_label_probabilities, .in_lists = request_.problem_type == kOneLabel});
  }

  // Flags are what all rows must be; a row without a label tells nothing.
  void tell_flags(const Cell& cell, Census& into) const {
    if (cell.kind == Cell::Kind::null) return;
    const std::string count = std::to_string(count_flags(cell, config_.label_separator));
    into.tell(count == "0" || (into.knows(kFlags) && into.told(kFlags) != count) ? kNoFlags : kFlags, count);
  }

  Column target_column() const { return target_->column(std::ssize(classes_.names())); }

  Schema schema() const {
    Schema schema = tokens_.schema(target_column());
    const int64_t num_labels = std::ssize(classes_.names());
    if (is_soft_) schema.columns.push_back(distribution_column(num_labels));
    if (rows_.has_teacher()) schema.columns.push_back(teacher_logits_column(num_labels));
    if (keeps_notes_) schema.columns.insert(schema.columns.end(), row_notes().begin(), row_notes().end());
    return schema;
  }

  // With the ids of its labels.
  TextRow read_known(const Row& row) const {
    TextRow out = rows_.read(row, *target_);
    for (const Label& label : out.answer.labels) out.answer.ids.push_back(classes_.id_of(row, label));
    const int64_t num_labels = std::ssize(classes_.names());
    if (is_soft_)
      read_cell(row, rows_.label_column(), [&](const Cell&) { settle_distribution(out.answer, num_labels); });
    if (rows_.has_teacher())
      read_cell(row, rows_.teacher_column(), [&](const Cell& cell) {
        if (cell.kind == Cell::Kind::nested)
          read_values_by_label(cell, classes_.names(), out.answer.teacher_logits);
        else
          read_values(cell, config_.label_separator, num_labels, out.answer.teacher_logits);
      });
    return out;
  }

  std::vector<Encoding> encode(const std::vector<TextRow>& rows) const {
    std::vector<std::string_view> first, second;
    for (const TextRow& row : rows) {
      first.push_back(row.text());
      if (rows_.has_pairs()) second.push_back(row.pair);
    }
    return tokens_.tokenizer().encode_batch(first, second);
  }

  const PrepareRequest request_;
  const DataConfig& config_;
  TokenColumns tokens_;
  TextRows rows_;
  std::unique_ptr<Target> target_;  // null until the rows tell it
  ClassNames classes_;
  bool keeps_notes_;
  bool is_soft_ = false;  // some row has probabilities of labels
};

}  // namespace

std::unique_ptr<Recipe> text_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                   const Tokenizer* tokenizer) {
  return std::make_unique<TextClassification>(request, config, *tokenizer);
}

}  // namespace sft
