// What Marian and BART read alike from config.json, with transformers' defaults.
#pragma once

#include <cstdint>

#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {

struct PostNormSide {
  int64_t blocks = 12, heads = 16, inner = 4096;
};

struct PostNormConfig {
  int64_t vocab_size = 0, target_vocab_size = 0, positions = 1024, width = 1024;
  PostNormSide encoder, decoder;
  Activation activation = Activation::gelu;
  double dropout = 0.1, attention_dropout = 0.0, activation_dropout = 0.0;
  double initializer_range = 0.02;
  bool scales_embedding = false;  // words are multiplied by √width
  bool shares_embeddings = true;  // both sides have one table
  bool is_tied = true;            // the output layer is the target's table of words
  int64_t padding_id = 0;         // the word whose row gets no gradient from being read
  int64_t start_id = 0;
};

// What a family has where the file is silent.
struct PostNormDefaults {
  int64_t vocab_size = 0, padding_id = 0, start_id = 0;
  bool may_have_two_tables = false;  // decoder_vocab_size and share_encoder_decoder_embeddings are read
};

// Fills the content up with every default that was used. ConfigError names the key, what it wants and what was found.
PostNormConfig read_post_norm_config(ConfigReader& read, const PostNormDefaults& defaults);

}  // namespace sft
