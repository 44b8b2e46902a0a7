#include "trainer/tasks/token_classification/recipe.h"

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "trainer/tasks/recipes/cells.h"
#include "trainer/tasks/recipes/class_names.h"
#include "trainer/tasks/recipes/label_doubts.h"
#include "trainer/tasks/recipes/tagged_words.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/recipes/token_columns.h"

namespace sft {
namespace {

using nlohmann::json;

struct TaggedRow {
  const Row* row = nullptr;
  Words words = {};
  std::vector<Label> tags = {};
  std::vector<int64_t> ids = {};  // of the tags; without tags 0 for each word: it marks the tokens that stand for words
  float weight = 1.0f;
};

class TokenClassification final : public Recipe {
 public:
  TokenClassification(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer)
      : config_(config),
        // Scores are of words, so only training looks at more than their first tokens.
        all_tokens_(config.label_all_tokens && request.split == "train"),
        keep_notes_(request.keep_notes),
        tokens_(config, tokenizer),
        words_{"text_column", config.text_column.empty() ? "" : config.text_column.front()},
        tags_{"label_column", request.labels_required ? config.label_column : ""},
        weight_{"weight_column", config.weight_column},
        group_{"group_column", request.splits() ? config.group_column : ""},
        classes_(request) {
    if (!config.text_pair_column.empty()) throw ConfigError("data.text_pair_column: tagged words make no pairs");
    if (config.text_column.size() != 1) throw ConfigError("data.text_column: tagged words come from one column");
  }

  std::unique_ptr<Input> open(const StringList& files) const override { return open_rows(files, config_); }
  std::vector<WantedColumn> wanted_columns() const override { return {words_, tags_, weight_, group_}; }

  json key() const override {
    return {{"tokens", tokens_.key()},
            {"columns", {words_.name, tags_.name, weight_.name, group_.name}},
            {"all_tokens", all_tokens_},
            {"notes", keep_notes_},
            {"labels", classes_.key()}};
  }

  bool wants_survey() const override { return classes_.are_open(); }

  void survey(const Row& row, Census& into) const override {
    for (const Label& tag : read(row).tags) into.labels.add(tag);
  }

  void settle(const Census& all) override {
    classes_.settle(all.labels, 2, "rows", concat(" (data.label_column = ", in_quotes(tags_.name), ")"));
  }

  Group group_of(const Row& row, uint64_t seed) const override {
    const TaggedRow tagged = read(row);
    if (const auto key = group_key(row, group_, seed)) return {.key = *key};
    return {.key = derive_key(derive_key(seed, tagged.words.text), ""), .is_unnamed = !group_.name.empty()};
  }

  ShardInfo shard() const override {
    ShardInfo info = tokens_.shard(schema());
    info.task = "token_classification";
    info.label_names = classes_.names();
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.units_are = "tokens";
    report.labels_are_of = "words";
    report.label_names = classes_.names();
    if (classes_.are_open()) report.warnings = doubts_of_tags(classes_.names());
    if (!tags_.name.empty()) report.label_counts.resize(report.label_names.size());
  }

  size_t rows_at_once() const override { return 1024; }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    const std::vector<TaggedRow> tagged = read_rows(rows, out, [&](const Row& row) { return read_known(row); });
    std::vector<std::vector<std::string>> texts;
    for (const TaggedRow& row : tagged) texts.push_back(row.words.words);
    const std::vector<Encoding> encodings = tokens_.tokenizer().encode_words(texts);
    const TokenTargets targets =
        all_tokens_ ? TokenTargets::of_all_tokens(classes_.names()) : TokenTargets::of_first_tokens();
    std::vector<int32_t> labels;
    const Schema columns = schema();
    Sample sample(columns);
    for (size_t i = 0; i < tagged.size(); ++i) {
      if (!tokens_.begin(*tagged[i].row, encodings[i], sample, out)) continue;
      targets.put(encodings[i], tagged[i].ids, labels);
      sample.cells[TokenColumns::kTarget].set(labels);
      sample.weight = tagged[i].weight;
      if (keep_notes_) put_notes(tagged[i].words, encodings[i], columns, sample);
      out.append(sample);
      if (!tags_.name.empty()) count(tagged[i], out.report());
    }
  }

 private:
  Column tags_column() const { return token_labels_column(std::ssize(classes_.names())); }

  Schema schema() const {
    Schema schema = tokens_.schema(tags_column());
    if (keep_notes_) schema.columns.insert(schema.columns.end(), {text_column(), words_column()});
    return schema;
  }

  TaggedRow read(const Row& row) const {
    TaggedRow out{.row = &row};
    read_cell(row, words_, [&](const Cell& cell) { read_words(cell, out.words); });
    if (!tags_.name.empty())
      read_cell(row, tags_, [&](const Cell& cell) { read_tags(cell, out.words.words.size(), out.tags); });
    if (!weight_.name.empty()) out.weight = read_cell(row, weight_, weight_in);
    return out;
  }

  // With the ids of its tags.
  TaggedRow read_known(const Row& row) const {
    TaggedRow out = read(row);
    if (tags_.name.empty()) out.ids.assign(out.words.words.size(), 0);
    for (const Label& tag : out.tags) out.ids.push_back(classes_.id_of(row, tag));
    return out;
  }

  // Counts tags, and a row whose tags are broken BIO.
  void count(const TaggedRow& row, PrepareReport& report) const {
    for (const int64_t id : row.ids) count_label(report, id);
    const int64_t broken = first_broken(row.ids, classes_.names());
    if (broken < 0) return;
    const auto word = static_cast<size_t>(broken);
    count_note(report, "rows have an I- tag that continues no entity; it begins one, as for conlleval and seqeval",
               concat(row.row->place(), ": word ", broken + 1, ", ", in_quotes(row.words.words[word], 40),
                      ", has the tag ", in_quotes(row.tags[word].text, 40)));
  }

  const DataConfig& config_;
  bool all_tokens_, keep_notes_;
  TokenColumns tokens_;
  WantedColumn words_, tags_, weight_, group_;  // no name: not wanted
  ClassNames classes_;
};

}  // namespace

std::unique_ptr<Recipe> token_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                    const Tokenizer* tokenizer) {
  return std::make_unique<TokenClassification>(request, config, *tokenizer);
}

}  // namespace sft
