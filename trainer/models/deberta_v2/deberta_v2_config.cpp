#include "trainer/models/deberta_v2/deberta_v2_config.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "base/schema.h"
#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"
#include "trainer/models/blocks/text_encoder_config.h"

namespace sft {
namespace {

using nlohmann::json;

// A list, or a string in any case with bars between: whether it has `wanted`. Other members than `known` are refused.
bool lists(json& content, const char* key, const std::string& wanted, const StringList& known) {
  const ConfigReader read(content);
  if (!read.has(key)) return false;
  StringList found;
  const json& value = content[key];
  if (value.is_string()) {
    std::string part;
    for (const char c : value.get<std::string>() + "|") {
      if (c == '|')
        found.push_back(std::exchange(part, {}));
      else if (c != ' ')
        part += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  } else if (value.is_array()) {
    for (const json& part : value) found.push_back(part.is_string() ? part.get<std::string>() : part.dump());
  } else {
    read.refuse(key, "made of " + join(known, " and "));
  }
  for (const std::string& part : found)
    if (std::ranges::find(known, part) == known.end()) read.refuse(key, "made of " + join(known, " and "));
  return std::ranges::find(found, wanted) != found.end();
}

// −1 where the file says none.
int64_t count_or_none(ConfigReader& read, const char* key) { return read.has(key) ? read.count(key, -1, -1) : -1; }

}  // namespace

DebertaV2Config read_deberta_v2_config(json& content) {
  ConfigReader read(content);
  if (!read.flag("relative_attention", false))
    read.refuse("relative_attention", "true (DeBERTa is built with relative positions)");
  if (!read.flag("share_att_key", false))
    read.refuse("share_att_key", "true (layers of their own for positions are not built)");
  if (read.has("conv_kernel_size") && content["conv_kernel_size"] != 0)
    read.refuse("conv_kernel_size", "0 (the convolution of v2-xlarge is not built)");

  DebertaV2Config config;
  EncoderShape& encoder = config.encoder;
  encoder = read_text_encoder(content, {.family = "DeBERTa",
                                        .vocab_size = 128100,
                                        .width = 1536,
                                        .blocks = 24,
                                        .heads = 24,
                                        .inner = 6144,
                                        .segments = 0,
                                        .least_segments = 0,
                                        .norm_eps = 1e-7});
  const int64_t positions = encoder.positions;
  if (!read.flag("position_biased_input", true)) encoder.positions = 0;
  for (const auto& [key, wanted] : {std::pair{"embedding_size", encoder.width},
                                    {"attention_head_size", encoder.width / encoder.heads},
                                    {"pooler_hidden_size", encoder.width}})
    if (read.has(key) && content[key] != wanted) read.refuse(key, concat(wanted, " (others are not built)"));

  const int64_t farthest = count_or_none(read, "max_relative_positions");
  const int64_t buckets = count_or_none(read, "position_buckets");
  if (buckets > 0 && buckets < 4) read.refuse("position_buckets", "4 or more, or -1 for none");
  config.distances.farthest = farthest > 0 ? farthest : positions;
  config.distances.buckets = std::max(buckets, int64_t{0});
  config.distances.span = buckets > 0 ? buckets : config.distances.farthest;
  encoder.distances = 2 * config.distances.span;
  if (buckets > 0 && config.distances.farthest <= buckets / 2 + 1)
    read.refuse("position_buckets", concat("at most ", 2 * config.distances.farthest - 3,
                                           ", by the farthest position (", config.distances.farthest, ")"));
  const StringList kinds = {"c2p", "p2c"};
  config.content_to_position = lists(content, "pos_att_type", "c2p", kinds);
  config.position_to_content = lists(content, "pos_att_type", "p2c", kinds);
  config.norms_table = lists(content, "norm_rel_ebd", "layer_norm", {"layer_norm", "none"});
  config.pooler_dropout = read.rate("pooler_dropout", 0.0);
  config.pooler_activation = read.activation("pooler_hidden_act");
  config.classifier_dropout = read.has("cls_dropout") ? read.rate("cls_dropout", 0.0) : encoder.hidden_dropout;
  return config;
}

}  // namespace sft
