#include "trainer/tasks/causal_lm/rows/model_facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "data/text/model_texts.h"

namespace sft::causal {
namespace {

using nlohmann::json;

// The first of the keys that holds a whole number above 0; 0: none does.
int64_t number_in(const json& config, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (config.contains(key) && config[key].is_number_integer() && config[key] > 0) return config[key];
  return 0;
}

// The special tokens that stand before a text where the tokenizer is asked to put some around it.
std::vector<int32_t> tokens_before(const Tokenizer& tokenizer) {
  const std::vector<int32_t> plain = tokenizer.encode_placed({"a"})[0].ids;
  const std::vector<int32_t> whole = tokenizer.encode("a").ids;
  const auto found = std::ranges::search(whole, plain);
  return {whole.begin(), found.begin()};
}

// The first of the tokens that the model stops at which a text can hold.
std::string stop_in_texts(const Tokenizer& tokenizer, const StopTokens& stops) {
  for (const int32_t id : stops.eos_ids()) {
    if (id < 0 || id >= tokenizer.vocab_size()) continue;
    const std::string text = tokenizer.decode(std::vector<int32_t>{id});
    if (!text.empty() && tokenizer.encode_placed({text})[0].ids == std::vector<int32_t>{id}) return text;
  }
  return "";
}

}  // namespace

ModelFacts::ModelFacts(const DataConfig& config, const Tokenizer& tokenizer)
    : tokenizer_(tokenizer),
      stops_(tokenizer),
      date_(config.chat.date.empty() ? today() : config.chat.date),
      in_front_(tokens_before(tokenizer)) {
  const std::string& directory = tokenizer.directory();
  try {
    template_ = ChatTemplate::find(directory, config.chat.chat_template, date_);
  } catch (const Error&) {
    no_template_ = std::current_exception();
  }
  const json model = object_of(tokenizer.model(), "config.json");
  const int64_t positions = number_in(model, {"max_position_embeddings", "n_positions"});
  max_length_ = positions > 0 ? std::min(positions, config.max_length) : config.max_length;
  vocab_size_ = number_in(model, {"vocab_size"});
  const json tokens = special_tokens_of(directory);
  if (config.chat.add_eos) eos_ = tokens.value("eos_token", "");
  if (config.chat.add_eos && eos_.empty()) eos_ = stop_in_texts(tokenizer, stops_);
  if (tokens.contains("bos_token")) {
    const std::vector<int32_t> ids = tokenizer.encode_placed({tokens["bos_token"].get<std::string>()})[0].ids;
    if (ids.size() == 1) bos_id_ = ids[0];
  }
}

const ChatTemplate& ModelFacts::chat_template() const {
  if (!template_) std::rethrow_exception(no_template_);
  return *template_;
}

// Of a turn of the assistant, as the template renders it; "" where it ends in none, or wants other chats.
std::string ModelFacts::end_of_turn() const {
  if (!template_) return "";
  const char* kChat = R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})";
  const RenderedChat chat = template_->render({{kChat, false}}, {{0, 2, false}})[0];
  const size_t last = chat.text.find_last_not_of(" \t\r\n");
  if (!chat.problem.empty() || last == std::string::npos) return "";
  return std::string(stops_.at_end_of(std::string_view(chat.text).substr(0, last + 1)));
}

std::vector<int32_t> ModelFacts::stop_ids() const {
  std::set<int32_t> ids(stops_.eos_ids().begin(), stops_.eos_ids().end());
  for (const std::string& text : {end_of_turn(), eos_}) {
    if (text.empty()) continue;
    const std::vector<int32_t> found = tokenizer_.encode_placed({text})[0].ids;
    if (found.size() == 1) ids.insert(found[0]);
  }
  return {ids.begin(), ids.end()};
}

std::string ModelFacts::asked(RowForm form) const {
  const bool is_chat =
      form == RowForm::messages || form == RowForm::conversations || form == RowForm::instruction_output;
  return concat("rows are ", name_of(form), ", to be answered",
                is_chat ? "; chat template " + chat_template().name() : "", "; max_length is ", max_length_);
}

std::string ModelFacts::described(RowForm form, const ChatConfig& config) const {
  const std::string limit = concat("; max_length is ", max_length_);
  if (form == RowForm::text)
    return concat("rows are plain texts, all of which is trained", eos_.empty() ? "" : ", each ended by " + eos_,
                  limit);
  if (form == RowForm::prompt_completion)
    return concat("rows are a prompt and a completion; ",
                  config.train_on == "all" ? "both are trained" : "the completion is trained",
                  eos_.empty() ? "" : ", strings ended by " + eos_, limit);
  const std::string what =
      config.train_on == "all"
          ? "the whole chat is trained (data.train_on = 'all')"
          : concat(config.train_on == "last" ? "the assistant's last turn is" : "the assistant's turns are",
                   " trained (data.train_on = '", config.train_on, "'; 'all' trains the whole chat, as TRL does)");
  const std::string end = end_of_turn();
  return concat("rows are chats (", name_of(form), "); ", what, "; chat template ", chat_template().name(),
                end.empty() ? "" : ", turns end in " + end, "; the model stops at ", stops_.eos_names(), limit);
}

json ModelFacts::key() const {
  return {{"tokenizer", tokenizer_.sha256()},
          {"template", template_ ? template_->sha256() : ""},
          {"eos", eos_},
          {"eos_ids", stops_.eos_ids()},
          {"vocab_size", vocab_size_}};
}

}  // namespace sft::causal
