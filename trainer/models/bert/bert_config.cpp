#include "trainer/models/bert/bert_config.h"

#include <string>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& key, const std::string& wanted, const json& found) {
  throw ConfigError(concat("config.json: ", key, " must be ", wanted, ", found ", found.dump()));
}

int64_t count(json& content, const char* key, int64_t otherwise, int64_t least = 1) {
  const json& value = content.emplace(key, otherwise).first.value();
  if (!value.is_number_integer() || value.get<int64_t>() < least)
    refuse(key, concat("an integer of at least ", least), value);
  return value.get<int64_t>();
}

double number(json& content, const char* key, double otherwise, double least, double below, const char* wanted) {
  const json& value = content.emplace(key, otherwise).first.value();
  if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() < below)) refuse(key, wanted, value);
  return value.get<double>();
}

double rate(json& content, const char* key, double otherwise) {
  return number(content, key, otherwise, 0.0, 1.0, "a rate from 0 to below 1");
}

// What would change the network and is not built. Absent, null, false and empty are what this network does.
void refuse_variants(const json& content) {
  const std::string positions = content.value("position_embedding_type", json("absolute")).is_string()
                                    ? content.value("position_embedding_type", "absolute")
                                    : "";
  if (positions != "absolute")
    refuse("position_embedding_type", "\"absolute\" (relative ones are not built)", content["position_embedding_type"]);
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    const auto found = content.find(key);
    if (found != content.end() && *found != false && !found->is_null())
      refuse(key, "false (BERT is built as an encoder)", *found);
  }
  const auto pruned = content.find("pruned_heads");
  if (pruned != content.end() && !pruned->empty()) refuse("pruned_heads", "empty", *pruned);
}

}  // namespace

BertConfig read_bert_config(json& content) {
  refuse_variants(content);
  BertConfig config;
  config.vocab_size = count(content, "vocab_size", config.vocab_size);
  config.hidden_size = count(content, "hidden_size", config.hidden_size);
  config.num_hidden_layers = count(content, "num_hidden_layers", config.num_hidden_layers);
  config.num_attention_heads = count(content, "num_attention_heads", config.num_attention_heads);
  config.intermediate_size = count(content, "intermediate_size", config.intermediate_size);
  config.max_position_embeddings = count(content, "max_position_embeddings", config.max_position_embeddings);
  config.type_vocab_size = count(content, "type_vocab_size", config.type_vocab_size);
  if (config.hidden_size % config.num_attention_heads != 0) {
    refuse("hidden_size", concat("a multiple of num_attention_heads (", config.num_attention_heads, ")"),
           content["hidden_size"]);
  }
  config.pad_token_id =
      content.contains("pad_token_id") && content["pad_token_id"].is_null() ? -1 : count(content, "pad_token_id", 0, 0);
  if (config.pad_token_id >= config.vocab_size) {
    refuse("pad_token_id", concat("below vocab_size (", config.vocab_size, ")"), content["pad_token_id"]);
  }

  const json& activation = content.emplace("hidden_act", "gelu").first.value();
  if (!activation.is_string()) refuse("hidden_act", "a name", activation);
  config.hidden_act = activation_named(activation.get<std::string>());

  config.hidden_dropout_prob = rate(content, "hidden_dropout_prob", config.hidden_dropout_prob);
  config.attention_probs_dropout_prob =
      rate(content, "attention_probs_dropout_prob", config.attention_probs_dropout_prob);
  const bool has_own = content.contains("classifier_dropout") && !content["classifier_dropout"].is_null();
  config.classifier_dropout = has_own ? rate(content, "classifier_dropout", 0.0) : config.hidden_dropout_prob;
  config.initializer_range =
      number(content, "initializer_range", config.initializer_range, 0.0, 1e6, "a standard deviation, 0 or more");
  config.layer_norm_eps =
      number(content, "layer_norm_eps", config.layer_norm_eps, 0.0, 1.0, "a small number, 0 or more");
  return config;
}

}  // namespace sft
