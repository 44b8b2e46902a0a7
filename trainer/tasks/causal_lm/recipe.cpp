#include "trainer/tasks/causal_lm/recipe.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/random.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "data/text/model_texts.h"
#include "trainer/tasks/causal_lm/rows/chat_spans.h"
#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/causal_lm/rows/conversation.h"
#include "trainer/tasks/causal_lm/rows/model_facts.h"
#include "trainer/tasks/causal_lm/rows/row_samples.h"
#include "trainer/tasks/causal_lm/rows/token_spans.h"
#include "trainer/tasks/recipes/cells.h"

namespace sft {
namespace {

using namespace causal;
using nlohmann::json;

// Facts of a glance.
constexpr char kForm[] = "form", kFormAt[] = "place of the form", kFraming[] = "framing";
constexpr char kTemplate[] = "by a chat template", kNone[] = "none";

// "2,32000"
std::string joined(const std::vector<int32_t>& ids) {
  StringList names;
  for (const int32_t id : ids) names.push_back(std::to_string(id));
  return join(names, ",");
}

class CausalLm final : public Recipe {
 public:
  CausalLm(const PrepareRequest& request, const DataConfig& config, const Tokenizer& tokenizer)
      : config_(config),
        answers_(request.labels_required),
        tokenizer_(tokenizer),
        facts_(config, tokenizer),
        weight_{"weight_column", config.weight_column},
        group_{"group_column", request.splits() ? config.group_column : ""} {
    if (!config.text_pair_column.empty()) throw ConfigError("data.text_pair_column: a language model reads no pairs");
    if (config.text_column.size() != 1) throw ConfigError("data.text_column: texts come from one column");
  }

  std::unique_ptr<Input> open(const StringList& files) const override { return open_rows(files, config_); }
  std::vector<WantedColumn> wanted_columns() const override { return {weight_, group_}; }

  json key() const override {
    return {{"model", facts_.key()},
            {"columns", {config_.text_column.front(), weight_.name, group_.name}},
            {"train_on", {config_.chat.train_on, config_.chat.train_on_trailing}},
            {"add_eos", config_.chat.add_eos},
            {"max_length", facts_.max_length()},
            {"truncation", config_.truncation},
            {"answers", answers_}};
  }

  bool wants_glance() const override { return true; }

  bool glance(const Row& row, Census& into) const override {
    const RowForm form = form_of(row, config_.text_column.front(), answers_);
    into.tell(kForm, name_of(form));
    into.tell(kFormAt, row.place());
    into.tell(kFraming, causal::is_chat(row, form) ? kTemplate : kNone);
    return true;
  }

  void expect(const Census& told) override {
    if (!told.knows(kForm)) return;  // no row has a form, and each will say so
    form_ = *row_form_named(told.told(kForm));
    form_at_ = told.told(kFormAt);
    is_chat_ = told.told(kFraming) == kTemplate;
    if (config_.truncation == "split" && form_ != RowForm::text)
      throw ConfigError(concat("data.truncation = 'split' makes pieces of plain texts, and ", form_at_, " has ",
                               name_of(form_), "; right, left and drop are for all rows"));
  }

  Group group_of(const Row& row, uint64_t seed) const override {
    if (const auto key = group_key(row, group_, seed)) return {.key = *key};
    const Conversation read = this->read(row);
    return {.key = derive_key(seed, read.is_chat ? read.chat.json : read.text), .is_unnamed = !group_.name.empty()};
  }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema = sample_schema(tokenizer_.vocab_size(), facts_.max_length());
    info.has_weights = !weight_.name.empty();
    info.max_length = facts_.max_length();
    info.task = "causal_lm";
    info.tokenizer_sha256 = tokenizer_.sha256();
    info.notes = {{"train_on", config_.chat.train_on}, {"eos_token_ids", joined(facts_.stop_ids())}};
    if (is_chat_) info.notes.emplace_back("chat_template_sha256", facts_.chat_template().sha256());
    if (is_chat_ && facts_.chat_template().tells_date()) info.notes.emplace_back("date", facts_.date());
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.units_are = "tokens";
    if (answers_) report.trained_units = 0;
    report.notes[answers_ ? facts_.described(form_, config_.chat) : facts_.asked(form_)] = {};
  }

  void judge(PrepareReport& report) const override {
    const double share =
        static_cast<double>(report.trained_units) / static_cast<double>(std::max<int64_t>(report.total_units, 1));
    if (answers_ && !is_chat_ && config_.chat.add_eos && facts_.eos().empty())
      report.warnings.push_back(
          "no token ends what is trained, so the model would never stop: tokenizer_config.json names no eos_token, and "
          "config.json no eos_token_id that a text can hold. data.add_eos = false says that it is meant so");
    const auto warn = [&](const char* what) {
      report.warnings.push_back(concat(human_count(static_cast<double>(report.trained_units)), " of ",
                                       human_count(static_cast<double>(report.total_units)), " tokens are trained, ",
                                       what, "; sft-dist prepare CONFIG --show 3 shows which"));
    };
    if (answers_ && share < 0.01) warn("less than 1 %");
    if (answers_ && is_chat_ && share > 0.95 && config_.chat.train_on != "all")
      warn("more than 95 %, so questions seem to be among them");
  }

  size_t rows_at_once() const override { return 1024; }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    std::vector<Conversation> read = read_rows(rows, out, [&](const Row& row) { return this->read(row); });
    std::vector<SpannedText> texts = spanned(read);
    std::vector<std::string_view> views;
    for (const SpannedText& text : texts) views.push_back(text.text);
    const std::vector<PlacedTokens> tokens = tokenizer_.encode_placed(views);
    RowSamples samples(tokenizer_, facts_, config_.truncation, answers_, out);
    for (size_t i = 0; i < read.size(); ++i) {
      try {
        if (!texts[i].problem.empty()) throw BadRow(concat(read[i].row->place(), ": ", texts[i].problem));
        SpannedTokens whole = to_tokens(tokens[i], texts[i].spans);
        if (!read[i].is_chat) put_in_front(facts_.ids_in_front(), whole);
        samples.append(read[i], std::move(whole), texts[i].left_out);
      } catch (const BadRow& error) {
        out.refuse(error);
      }
    }
  }

 private:
  Conversation read(const Row& row) const {
    const RowForm form = form_of(row, config_.text_column.front(), answers_);
    if (form != form_)
      throw BadRow(concat(row.place(), ": has ", name_of(form), ", and the first row of the files, ", form_at_,
                          ", has ", name_of(form_), "; rows of one form go into one run"));
    const std::string eos = goes_on() ? "" : facts_.eos();
    Conversation out = read_conversation(row, form, config_.text_column.front(), eos, answers_);
    if (!weight_.name.empty()) out.weight = read_cell(row, weight_, weight_in);
    return out;
  }

  // Chats are rendered all at once.
  std::vector<SpannedText> spanned(const std::vector<Conversation>& read) const {
    std::vector<SpannedText> texts(read.size());
    std::vector<const Conversation*> chats;
    for (size_t i = 0; i < read.size(); ++i) {
      if (read[i].is_chat)
        chats.push_back(&read[i]);
      else
        texts[i] = {.text = read[i].text, .spans = {text_span(read[i])}};
    }
    if (chats.empty()) return texts;
    std::vector<SpannedText> rendered =
        ChatSpans(facts_.chat_template(), config_.chat, facts_.stops(), answers_).of(chats);
    for (size_t i = 0, next = 0; i < read.size(); ++i)
      if (read[i].is_chat) texts[i] = std::move(rendered[next++]);
    return texts;
  }

  // Whether a plain text is what a model is to go on from, and not what it is to learn.
  bool goes_on() const { return !answers_ && form_ == RowForm::text; }

  ByteSpan text_span(const Conversation& read) const {
    if (goes_on()) return {read.text.size(), read.text.size()};
    return {config_.chat.train_on == "all" ? 0 : read.answer_from, read.text.size()};
  }

  const DataConfig& config_;
  bool answers_;  // rows bring them, to be learned or compared with
  const Tokenizer& tokenizer_;
  ModelFacts facts_;
  WantedColumn weight_, group_;  // no name: not wanted
  RowForm form_ = RowForm::text;
  std::string form_at_;   // the first row that has it
  bool is_chat_ = false;  // and whether a template frames that row
};

}  // namespace

std::unique_ptr<Recipe> causal_lm_recipe(const PrepareRequest& request, const DataConfig& config,
                                         const Tokenizer* tokenizer) {
  return std::make_unique<CausalLm>(request, config, *tokenizer);
}

std::vector<int32_t> causal_lm_stop_tokens(const DataConfig& config, const Tokenizer& tokenizer) {
  return ModelFacts(config, tokenizer).stop_ids();
}

}  // namespace sft
