#include "trainer/models/blocks/rotary_decoder_config.h"

#include <algorithm>

#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

// null is transformers' word for "work it out".
int64_t count_or(ConfigReader& read, const json& content, const char* key, int64_t absent, int64_t null) {
  return content.contains(key) && !read.has(key) ? null : read.count(key, absent > 0 ? absent : null);
}

// A classifier of tokens has a dropout of its own.
double token_head_dropout(ConfigReader& read) {
  for (const char* key : {"classifier_dropout", "hidden_dropout"})
    if (read.has(key)) return read.rate(key, 0.0);
  return 0.1;
}

}  // namespace

RotaryDecoderShape read_rotary_decoder(json& content, const RotaryDecoderDefaults& defaults) {
  ConfigReader read(content);
  for (const char* key : {"quantization_config", "num_experts", "num_local_experts"})
    if (read.has(key)) read.refuse(key, "absent (quantized weights and experts are not built)");

  RotaryDecoderShape shape;
  shape.vocab_size = read.count("vocab_size", defaults.vocab_size);
  shape.width = read.count("hidden_size", defaults.width);
  shape.inner = read.count("intermediate_size", defaults.inner);
  shape.blocks = read.count("num_hidden_layers", 32, 1, ConfigReader::kMostBlocks);
  shape.heads = read.count("num_attention_heads", 32);
  shape.positions = read.count("max_position_embeddings", defaults.positions);
  shape.key_heads = count_or(read, content, "num_key_value_heads", defaults.key_heads, shape.heads);
  if (shape.heads % shape.key_heads != 0)
    read.refuse("num_key_value_heads", concat("a divisor of num_attention_heads (", shape.heads, ")"));
  if (defaults.head_width == 0 && !read.has("head_dim") && shape.width % shape.heads != 0)
    read.refuse("hidden_size", concat("a multiple of num_attention_heads (", shape.heads, "), or head_dim be there"));
  shape.head_width =
      count_or(read, content, "head_dim", defaults.head_width, std::max(shape.width / shape.heads, int64_t{1}));
  if (shape.head_width % 2 != 0)
    read.refuse(read.has("head_dim") ? "head_dim" : "hidden_size", "such that heads have an even width");
  if (read.has("pad_token_id")) shape.padding_id = read.row("pad_token_id", 0, shape.vocab_size);
  shape.activation = read.activation("hidden_act", "silu");
  shape.is_tied = read.flag("tie_word_embeddings", false);
  shape.attention_dropout = read.rate("attention_dropout", 0.0);
  shape.norm_eps = read.number("rms_norm_eps", 1e-6, 1.0, "a small number, 0 or more");
  shape.initializer_range = read.number("initializer_range", 0.02, 1e6, "a standard deviation, 0 or more");
  shape.token_head_dropout = token_head_dropout(read);
  shape.rotary = read_rotary(content, shape.head_width, shape.positions);
  return shape;
}

void refuse_sliding_windows(json& content) {
  const ConfigReader read(content);
  read.refuse_unless_false("use_sliding_window", "false (sliding windows are not built)");
  if (!read.has("layer_types")) return;
  for (const json& type : content["layer_types"])
    if (type != "full_attention") read.refuse("layer_types", "\"full_attention\" everywhere");
}

RotaryRule read_rotary(json& content, int64_t head_width, int64_t positions) {
  const bool is_scaled_apart = content.contains("rope_scaling") && !content["rope_scaling"].is_null();
  const char* section = is_scaled_apart || !content.contains("rope_parameters") ? "rope_scaling" : "rope_parameters";
  json rope = content.value(section, json::object());
  if (rope.is_null()) rope = json::object();
  const ConfigReader outer(content);
  if (!rope.is_object()) outer.refuse(section, "an object");
  for (const auto& [key, value] : rope.items())
    if (value.is_object()) outer.refuse(section, "one rule for all layers (rules by type of layer are not built)");
  for (const json* place : {&rope, &content})
    if (place->contains("partial_rotary_factor") && !(*place)["partial_rotary_factor"].is_null() &&
        (*place)["partial_rotary_factor"] != 1)
      outer.refuse(place == &rope ? section : "partial_rotary_factor", "such that whole heads turn");

  // Nothing of the section is filled up: a name that it lacks may stand beside it.
  ConfigReader read(rope);
  RotaryRule rule{.head_width = head_width};
  constexpr double kMost = 1e15;
  rule.theta = rope.contains("rope_theta")
                   ? read.number("rope_theta", 0, kMost, "a number above 0")
                   : ConfigReader(content).number("rope_theta", 10000.0, kMost, "a number above 0");
  if (rule.theta <= 0) outer.refuse(rope.contains("rope_theta") ? section : "rope_theta", "a number above 0");
  const json type = rope.value("rope_type", rope.value("type", json("default")));
  if (type == "default") return rule;
  if (type == "linear") {
    rule.scaling = RotaryScaling::linear;
  } else if (type == "llama3") {
    rule.scaling = RotaryScaling::llama3;
  } else {
    outer.refuse(section, "of rope_type default, linear or llama3 (others are not built)");
  }
  const auto wanted = [&](const char* key) {
    if (!read.has(key)) outer.refuse(section, concat("one with ", key));
    const double found = read.number(key, 0, kMost, "a number above 0");
    if (found <= 0) outer.refuse(section, concat("one with a ", key, " above 0"));
    return found;
  };
  rule.factor = wanted("factor");
  if (rule.scaling == RotaryScaling::linear) return rule;
  rule.low_frequency_factor = wanted("low_freq_factor");
  rule.high_frequency_factor = wanted("high_freq_factor");
  if (rule.high_frequency_factor <= rule.low_frequency_factor)
    outer.refuse(section, "one whose high_freq_factor is above its low_freq_factor");
  constexpr const char* kOriginal = "original_max_position_embeddings";
  if (outer.has(kOriginal))
    rule.original_positions = ConfigReader(content).count(kOriginal, positions);
  else
    rule.original_positions = read.has(kOriginal) ? read.count(kOriginal, positions) : positions;
  return rule;
}

}  // namespace sft
