#include "trainer/tasks/seq2seq_lm/rows/text_side.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "data/text/model_texts.h"

namespace sft::seq2seq {
namespace {

using nlohmann::json;

// A whole number above 0; 0: the key holds none.
int64_t number_in(const json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && found->is_number_integer() && *found > 0 ? found->get<int64_t>() : 0;
}

int64_t vocab_size_of(const json& config, Side side) {
  const int64_t own = side == Side::target ? number_in(config, "decoder_vocab_size") : 0;
  return own > 0 ? own : number_in(config, "vocab_size");
}

int32_t end_of_model(const json& config, const std::string& directory) {
  const auto found = config.find("eos_token_id");
  if (found == config.end() || !found->is_number_integer() || *found < 0 || *found > INT32_MAX)
    throw ConfigError(concat(directory,
                             ": its tokenizer puts no token behind a text, and config.json names no "
                             "eos_token_id; a model must learn where a text ends"));
  return found->get<int32_t>();
}

// The tokens behind every text, empty or not; BART puts one in front too.
std::vector<int32_t> put_behind(const Tokenizer& tokenizer) {
  const std::vector<Encoding> both = tokenizer.encode_whole({"", "a"});
  const std::vector<int32_t>&empty = both[0].ids, &text = both[1].ids;
  const auto [of_empty, of_text] = std::mismatch(empty.rbegin(), empty.rend(), text.rbegin(), text.rend());
  return {of_empty.base(), empty.end()};
}

}  // namespace

TextSide::TextSide(Side side, const DataConfig& config, const Tokenizer& tokenizer)
    : side_(side), tokenizer_(tokenizer), end_(put_behind(tokenizer)) {
  const json model = object_of(tokenizer.directory(), "config.json");
  puts_end_ = !end_.empty();
  if (!puts_end_) end_ = {end_of_model(model, tokenizer.directory())};
  num_added_ = std::ssize(tokenizer.encode_whole({""})[0].ids) + (puts_end_ ? 0 : 1);
  const bool has_own_length = side == Side::target && config.pairs.max_target_length > 0;
  const int64_t asked = has_own_length ? config.pairs.max_target_length : config.max_length;
  const int64_t positions = number_in(model, "max_position_embeddings");
  is_cut_to_positions_ = positions > 0 && positions < asked;
  max_length_ = is_cut_to_positions_ ? positions : asked;
  vocab_size_ = vocab_size_of(model, side);
  if (max_length_ <= num_added_)
    throw ConfigError(concat(
        limit(), " leaves no room for a text beside ",
        num_added_ == 1 ? "the token that ends it" : concat("the ", num_added_, " tokens that stand around it")));
}

std::string TextSide::limit() const {
  if (is_cut_to_positions_) return concat(max_length_, " positions of the model");
  return concat(side_ == Side::source ? "max_length = " : "max_target_length = ", max_length_);
}

std::vector<std::vector<int32_t>> TextSide::tokens_of(const std::vector<std::string_view>& texts) const {
  std::vector<std::vector<int32_t>> out;
  out.reserve(texts.size());
  for (Encoding& encoding : tokenizer_.encode_whole(texts)) {
    out.push_back(std::move(encoding.ids));
    if (!puts_end_) out.back().push_back(end());
  }
  return out;
}

void TextSide::check(const Row& row, const std::vector<int32_t>& tokens) const {
  if (std::ssize(tokens) <= num_added_) throw BadRow(concat(row.place(), ": the ", name(), " has no tokens"));
  const int32_t largest = *std::ranges::max_element(tokens);
  if (vocab_size_ > 0 && largest >= vocab_size_)
    throw DataError(concat(row.place(), ": token ", in_quotes(tokenizer_.decode(std::vector<int32_t>{largest})),
                           " of the ", name(), " has the id ", largest, ", and the model knows ", vocab_size_,
                           " tokens there (the tokenizer ", tokenizer_.vocab_size(),
                           "). Tokenizer and model do not belong together, or config.json's vocab_size and the "
                           "embeddings lack rows; the model is not enlarged"));
}

void TextSide::cut(std::vector<int32_t>& tokens) const {
  tokens.resize(static_cast<size_t>(max_length_) - end_.size());
  tokens.insert(tokens.end(), end_.begin(), end_.end());
}

json TextSide::key() const { return {tokenizer_.sha256(), end_, puts_end_, max_length_, vocab_size_}; }

}  // namespace sft::seq2seq
