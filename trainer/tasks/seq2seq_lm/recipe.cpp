#include "trainer/tasks/seq2seq_lm/recipe.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"
#include "base/json_member.h"
#include "base/random.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "data/text/model_texts.h"
#include "trainer/tasks/causal_lm/rows/stop_tokens.h"
#include "trainer/tasks/recipes/cells.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"
#include "trainer/tasks/seq2seq_lm/rows/pair.h"
#include "trainer/tasks/seq2seq_lm/rows/text_side.h"

namespace sft {
namespace {

using namespace seq2seq;
using nlohmann::json;

using Tokens = std::vector<int32_t>;

// A model with one table of embeddings cannot read one vocabulary and write another.
void refuse_two_vocabularies_of_one_table(const std::string& directory) {
  const auto says = [&](const char* file, const char* key, bool otherwise) {
    return member(object_of(directory, file), key, otherwise, concat(directory, "/", file));
  };
  if (says("tokenizer_config.json", "separate_vocabs", false) &&
      says("config.json", "share_encoder_decoder_embeddings", true))
    throw ConfigError(
        concat(directory,
               ": the tokenizer has a vocabulary a language (vocab.json, target_vocab.json; "
               "separate_vocabs in tokenizer_config.json), and the model one table of embeddings for both "
               "(share_encoder_decoder_embeddings in config.json)"));
}

class Seq2SeqLm final : public Recipe {
 public:
  Seq2SeqLm(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer)
      : config_(config),
        answers_(request.labels_required),
        keeps_texts_(request.split != "train"),
        of_targets_(Tokenizer::of_targets(tokenizer.directory())),
        source_(Side::source, config, tokenizer),
        target_(Side::target, config, of_targets_ ? *of_targets_ : tokenizer),
        weight_{"weight_column", config.weight_column},
        group_{"group_column", request.splits() ? config.group_column : ""} {
    refuse_two_vocabularies_of_one_table(tokenizer.directory());
  }

  std::unique_ptr<Input> open(const StringList& files) const override { return open_rows(files, config_); }
  std::vector<WantedColumn> wanted_columns() const override { return {weight_, group_}; }

  json key() const override {
    const PairConfig& pairs = config_.pairs;
    return {{"sides", {source_.key(), target_.key()}},
            {"columns", {pairs.source_column, pairs.target_column, weight_.name, group_.name}},
            {"languages", {pairs.source_lang, pairs.target_lang}},
            {"source_prefix", pairs.source_prefix},
            {"truncation", config_.truncation},
            {"texts", keeps_texts_},
            {"answers", answers_}};
  }

  Group group_of(const Row& row, uint64_t seed) const override {
    if (const auto key = group_key(row, group_, seed)) return {.key = *key};
    return {.key = derive_key(seed, read(row).source), .is_unnamed = !group_.name.empty()};
  }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema = schema();
    info.has_weights = !weight_.name.empty();
    info.max_length = source_.max_length() + target_.max_length();
    info.task = "seq2seq_lm";
    info.tokenizer_sha256 = source_.tokenizer().sha256();
    info.notes = {{"source_prefix", config_.pairs.source_prefix}, {"eos_token_ids", concat(target_.end())}};
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.units_are = "tokens";
    if (answers_) report.trained_units = 0;
    const std::string& prefix = config_.pairs.source_prefix;
    report.notes[concat("rows are ", answers_ ? "pairs, of which the target is trained" : "sources, to be answered",
                        prefix.empty() ? "" : concat("; each source behind ", in_quotes(prefix)),
                        "; sources have at most ", source_.limit(), ", targets ", target_.limit())] = {};
  }

  size_t rows_at_once() const override { return 1024; }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    const std::vector<Pair> pairs = read_rows(rows, out, [&](const Row& row) { return read(row); });
    std::vector<Tokens> sources = tokens_of(pairs, source_), targets = tokens_of(pairs, target_);
    Sample sample(schema());
    for (size_t i = 0; i < pairs.size(); ++i) {
      const Pair& pair = pairs[i];
      try {
        source_.check(*pair.row, sources[i]);
        if (pair.target.empty())
          targets[i].clear();
        else
          target_.check(*pair.row, targets[i]);
        refuse_long(pair, source_, sources[i]);
        refuse_long(pair, target_, targets[i]);
        out.begin(*pair.row);
        append(pair, sources[i], targets[i], sample, out);
      } catch (const BadRow& error) {
        out.refuse(error);
      }
    }
  }

 private:
  Schema schema() const {
    Schema schema = sample_schema(source_.tokenizer().vocab_size(), target_.tokenizer().vocab_size());
    if (keeps_texts_)
      for (const char* name : {kSourceText, kTargetText}) schema.columns.push_back(text_column(name));
    return schema;
  }

  Pair read(const Row& row) const {
    Pair pair = read_pair(row, config_.pairs, answers_);
    if (!weight_.name.empty()) pair.weight = read_cell(row, weight_, weight_in);
    return pair;
  }

  std::vector<Tokens> tokens_of(const std::vector<Pair>& pairs, const TextSide& side) const {
    std::vector<std::string> prefixed;
    std::vector<std::string_view> texts;
    const bool is_source = &side == &source_;
    const std::string& prefix = config_.pairs.source_prefix;
    if (is_source && !prefix.empty())
      for (const Pair& pair : pairs) prefixed.push_back(prefix + pair.source);
    for (size_t i = 0; i < pairs.size(); ++i)
      texts.push_back(!prefixed.empty() ? prefixed[i] : is_source ? pairs[i].source : pairs[i].target);
    return side.tokens_of(texts);
  }

  void refuse_long(const Pair& pair, const TextSide& side, const Tokens& tokens) const {
    if (config_.truncation == "error" && side.is_too_long(tokens))
      throw BadRow(concat(pair.row->place(), ": the ", side.name(), " has ", tokens.size(),
                          " tokens, and the limit is ", side.limit(), "; ",
                          side.is_cut_to_positions() ? "" : "raise it, or ", "let data.truncation be drop or right"));
  }

  // Whether the row is kept.
  bool fit(const Pair& pair, const TextSide& side, Tokens& tokens, PrepareReport& report) const {
    if (!side.is_too_long(tokens)) return true;
    if (config_.truncation == "drop") {
      count_note(report,
                 concat("rows have a ", side.name(), " of more tokens than ", side.limit(), " and are left out"),
                 concat(pair.row->place(), " with ", tokens.size()));
      return false;
    }
    side.cut(tokens);
    return true;
  }

  void append(const Pair& pair, Tokens& source, Tokens& target, Sample& sample, SampleSink& out) const {
    PrepareReport& report = out.report();
    const bool is_long = source_.is_too_long(source) || target_.is_too_long(target);
    if (!fit(pair, source_, source, report) || !fit(pair, target_, target, report)) return;
    if (is_long) ++report.truncated_rows;
    sample.weight = pair.weight;
    sample.cells[0].set(source);
    sample.cells[1].set(target);
    if (keeps_texts_) {
      sample.cells[2].set(std::vector<uint8_t>(pair.source.begin(), pair.source.end()));
      sample.cells[3].set(std::vector<uint8_t>(pair.target.begin(), pair.target.end()));
    }
    out.append(sample);
    if (answers_) report.trained_units = std::max<int64_t>(report.trained_units, 0) + std::ssize(target);
  }

  const DataConfig& config_;
  bool answers_;                           // rows bring them, to be learned or compared with
  bool keeps_texts_;                       // for whoever compares and tells answers
  std::unique_ptr<Tokenizer> of_targets_;  // null: the sources' own cuts targets too
  TextSide source_, target_;
  WantedColumn weight_, group_;  // no name: not wanted
};

}  // namespace

std::unique_ptr<Recipe> seq2seq_lm_recipe(const PrepareRequest& request, const DataConfig& config,
                                          const Tokenizer* tokenizer) {
  return std::make_unique<Seq2SeqLm>(request, config, *tokenizer);
}

std::vector<int32_t> seq2seq_lm_stop_tokens(const DataConfig& config, const Tokenizer& tokenizer) {
  const std::vector<int32_t> own = causal::StopTokens(tokenizer).eos_ids();
  std::set<int32_t> ids(own.begin(), own.end());
  const std::unique_ptr<Tokenizer> of_targets = Tokenizer::of_targets(tokenizer.directory());
  ids.insert(TextSide(Side::target, config, of_targets ? *of_targets : tokenizer).end());
  return {ids.begin(), ids.end()};
}

}  // namespace sft
