#include "trainer/tasks/text_classification/recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/prepare/report.h"
#include "trainer/tasks/recipes/cells.h"
#include "trainer/tasks/recipes/class_names.h"
#include "trainer/tasks/recipes/label_doubts.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/recipes/target_cells.h"
#include "trainer/tasks/recipes/text_rows.h"
#include "trainer/tasks/recipes/token_columns.h"

namespace sft {
namespace {

using nlohmann::json;

// Facts of a glance.
constexpr char kType[] = "problem type", kNumbers[] = "numbers", kLists[] = "lists", kFlags[] = "flags",
               kNoFlags[] = "no flags";

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
    if (is_told) target_ = make_target(type, request.num_targets, config.label_separator);
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
      target_ = make_target(type, count, config_.label_separator);
  }

  bool wants_survey() const override { return target_->has_classes() && classes_.are_open(); }

  void survey(const Row& row, Census& into) const override {
    const Answer answer = rows_.read(row, *target_).answer;
    for (const Label& label : answer.labels) into.labels.add(label);
    for (const int64_t id : answer.ids) into.labels.add({classes_.names()[static_cast<size_t>(id)], false});
  }

  void settle(const Census& all) override {
    classes_.settle(all.labels, target_->least_classes(), "rows",
                    concat(" (data.label_column = ", in_quotes(config_.label_column), ")"));
  }

  Group group_of(const Row& row, uint64_t seed) const override {
    const TextRow read = rows_.read(row, *target_);
    const bool strata = target_->has_strata() && !read.answer.labels.empty();
    return {rows_.key_of(read, seed), strata ? read.answer.labels.front().text : ""};
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
      if (keeps_notes_) put_row_notes(read[i], columns, sample);
      out.append(sample);
      for (const int64_t id : read[i].answer.ids) count_label(out.report(), id);
    }
  }

 private:
  // Flags are what all rows must be; a row without a label tells nothing.
  void tell_flags(const Cell& cell, Census& into) const {
    if (cell.kind == Cell::Kind::null) return;
    const std::string count = std::to_string(count_flags(cell, config_.label_separator));
    into.tell(count == "0" || (into.knows(kFlags) && into.told(kFlags) != count) ? kNoFlags : kFlags, count);
  }

  Column target_column() const { return target_->column(std::ssize(classes_.names())); }

  Schema schema() const {
    Schema schema = tokens_.schema(target_column());
    if (keeps_notes_) schema.columns.insert(schema.columns.end(), row_notes().begin(), row_notes().end());
    return schema;
  }

  // With the ids of its labels.
  TextRow read_known(const Row& row) const {
    TextRow out = rows_.read(row, *target_);
    for (const Label& label : out.answer.labels) out.answer.ids.push_back(classes_.id_of(row, label));
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
};

}  // namespace

std::unique_ptr<Recipe> text_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                   const Tokenizer* tokenizer) {
  return std::make_unique<TextClassification>(request, config, *tokenizer);
}

}  // namespace sft
