#include "equivalence/tiny_models.h"

#include <vector>

namespace sft::equivalence {

nlohmann::json tiny_bert() {
  return {{"model_type", "bert"},          {"vocab_size", kVocab},       {"hidden_size", 24},
          {"num_hidden_layers", 3},        {"num_attention_heads", 3},   {"intermediate_size", 40},
          {"hidden_act", "gelu"},          {"hidden_dropout_prob", 0.1}, {"attention_probs_dropout_prob", 0.1},
          {"max_position_embeddings", 32}, {"type_vocab_size", 2},       {"layer_norm_eps", 1e-12},
          {"initializer_range", 0.2},      {"pad_token_id", 0}};
}

// A family that shares BERT's words. Tokens are drawn from all words, the padding's too.
nlohmann::json tiny_roberta() {
  nlohmann::json config = tiny_bert();
  config["model_type"] = "roberta";
  config["type_vocab_size"] = 1;
  config["pad_token_id"] = 1;
  return config;
}

nlohmann::json tiny_distilbert() {
  return {{"model_type", "distilbert"},
          {"vocab_size", kVocab},
          {"dim", 24},
          {"n_layers", 3},
          {"n_heads", 3},
          {"hidden_dim", 40},
          {"dropout", 0.1},
          {"attention_dropout", 0.1},
          {"seq_classif_dropout", 0.2},
          {"initializer_range", 0.2},
          {"max_position_embeddings", 32}};
}

// Windows end below the longest text.
nlohmann::json tiny_modernbert() {
  return {{"model_type", "modernbert"}, {"vocab_size", kVocab},
          {"hidden_size", 24},          {"num_hidden_layers", 3},
          {"num_attention_heads", 3},   {"intermediate_size", 40},
          {"initializer_range", 0.2},   {"max_position_embeddings", 32},
          {"local_attention", 8},       {"embedding_dropout", 0.1},
          {"attention_dropout", 0.1},   {"mlp_dropout", 0.1},
          {"classifier_dropout", 0.1},  {"pad_token_id", 0}};
}

nlohmann::json tiny_electra() {
  nlohmann::json config = tiny_bert();
  config["model_type"] = "electra";
  config["embedding_size"] = 10;
  return config;
}

nlohmann::json tiny_albert() {
  nlohmann::json config = tiny_electra();
  config["model_type"] = "albert";
  return config;
}

nlohmann::json tiny_deberta_v2() {
  nlohmann::json config = tiny_bert();
  config.update({{"model_type", "deberta-v2"},
                 {"type_vocab_size", 0},
                 {"relative_attention", true},
                 {"share_att_key", true},
                 {"pos_att_type", "p2c|c2p"},
                 {"norm_rel_ebd", "layer_norm"},
                 {"position_buckets", 8},
                 {"position_biased_input", false}});
  return config;
}

nlohmann::json tiny_xlnet() {
  return {{"model_type", "xlnet"}, {"vocab_size", kVocab}, {"d_model", 24},           {"n_layer", 3},
          {"n_head", 3},           {"d_inner", 40},        {"dropout", 0.1},          {"summary_last_dropout", 0.2},
          {"clamp_len", 12},       {"pad_token_id", 0},    {"initializer_range", 0.2}};
}

nlohmann::json tiny_llama(const char* family) {
  return {{"model_type", family},     {"vocab_size", kVocab},     {"hidden_size", 24},
          {"num_hidden_layers", 3},   {"num_attention_heads", 4}, {"num_key_value_heads", 2},
          {"intermediate_size", 40},  {"initializer_range", 0.2}, {"max_position_embeddings", 32},
          {"attention_dropout", 0.1}, {"pad_token_id", 0},        {"tie_word_embeddings", true}};
}

nlohmann::json tiny_gpt2() {
  return {{"model_type", "gpt2"}, {"vocab_size", kVocab},    {"n_embd", 24},      {"n_layer", 2},
          {"n_head", 3},          {"n_positions", 32},       {"embd_pdrop", 0.1}, {"attn_pdrop", 0.1},
          {"resid_pdrop", 0.1},   {"initializer_range", 0.2}};
}

// Blocks of both sides share a bias of relative positions, whose buckets end below the longest text.
nlohmann::json tiny_t5(const char* family) {
  return {{"model_type", family},
          {"vocab_size", kVocab},
          {"d_model", 24},
          {"d_kv", 10},
          {"num_heads", 3},
          {"d_ff", 40},
          {"num_layers", 2},
          {"num_decoder_layers", 3},
          {"relative_attention_num_buckets", 8},
          {"relative_attention_max_distance", 12},
          {"dropout_rate", 0.1},
          {"feed_forward_proj", std::string(family) == "t5" ? "relu" : "gated-gelu"}};
}

nlohmann::json tiny_marian() {
  return {{"model_type", "marian"},
          {"vocab_size", kVocab},
          {"d_model", 24},
          {"encoder_layers", 2},
          {"decoder_layers", 2},
          {"encoder_attention_heads", 3},
          {"decoder_attention_heads", 2},
          {"encoder_ffn_dim", 40},
          {"decoder_ffn_dim", 30},
          {"dropout", 0.1},
          {"attention_dropout", 0.1},
          {"activation_dropout", 0.1},
          {"init_std", 0.2},
          {"scale_embedding", true},
          {"activation_function", "swish"},
          {"pad_token_id", 96},
          {"decoder_start_token_id", 96},
          {"max_position_embeddings", 32}};
}

nlohmann::json tiny_resnet() {
  return {{"model_type", "resnet"},
          {"embedding_size", 6},
          {"hidden_sizes", {8, 12}},
          {"depths", {1, 2}},
          {"layer_type", "basic"}};
}

// A small graph: a convolution that pads one side alone, a residual block under norms, a dropout.
nlohmann::json tiny_keras() {
  const auto layer = [](const char* kind, const char* name, nlohmann::json config, std::vector<const char*> inputs) {
    nlohmann::json node = nlohmann::json::array();
    for (const char* input : inputs) node.push_back({input, 0, 0, nlohmann::json::object()});
    config["name"] = name;
    return nlohmann::json{{"class_name", kind},
                          {"name", name},
                          {"config", config},
                          {"inbound_nodes", inputs.empty() ? nlohmann::json::array() : nlohmann::json::array({node})}};
  };
  const auto convolution = [&](const char* name, const char* input, int stride) {
    return layer("Conv2D", name, {{"filters", 6}, {"kernel_size", 3}, {"strides", stride}, {"padding", "same"}},
                 {input});
  };
  const nlohmann::json layers = {layer("InputLayer", "input", {{"batch_input_shape", {nullptr, 12, 12, 3}}}, {}),
                                 convolution("first", "input", 2),
                                 layer("BatchNormalization", "norm", nlohmann::json::object(), {"first"}),
                                 convolution("second", "norm", 1),
                                 layer("BatchNormalization", "norm_2", nlohmann::json::object(), {"second"}),
                                 layer("Add", "add", nlohmann::json::object(), {"norm", "norm_2"}),
                                 layer("Activation", "relu", {{"activation", "relu"}}, {"add"}),
                                 layer("Flatten", "flatten", nlohmann::json::object(), {"relu"}),
                                 layer("Dropout", "dropout", {{"rate", 0.2}}, {"flatten"}),
                                 layer("Dense", "predictions", {{"units", 5}, {"activation", "softmax"}}, {"dropout"})};
  return {{"model_type", "keras"},
          {"keras_version", "3"},
          {"preprocessing", "tf"},
          {"keras_config",
           {{"class_name", "Functional"},
            {"config",
             {{"name", "tiny"},
              {"layers", layers},
              {"input_layers", nlohmann::json::array({{"input", 0, 0}})},
              {"output_layers", nlohmann::json::array({{"predictions", 0, 0}})}}}}}};
}

nlohmann::json tiny_vgg(bool batch_norm) {
  return {{"model_type", "vgg"},   {"depths", {1, 2}},          {"hidden_sizes", {4, 6}},
          {"classifier_size", 10}, {"classifier_dropout", 0.2}, {"batch_norm", batch_norm}};
}

nlohmann::json tiny_vit() {
  return {{"model_type", "vit"},     {"image_size", 12},           {"patch_size", 4},
          {"hidden_size", 24},       {"num_hidden_layers", 3},     {"num_attention_heads", 3},
          {"intermediate_size", 40}, {"hidden_dropout_prob", 0.1}, {"attention_probs_dropout_prob", 0.1},
          {"initializer_range", 0.2}};
}

nlohmann::json tiny_dinov2() {
  nlohmann::json config = tiny_vit();
  config["model_type"] = "dinov2";
  config["mlp_ratio"] = 2;
  config["use_swiglu_ffn"] = true;
  config["layerscale_value"] = 0.5;
  config["drop_path_rate"] = 0.2;
  return config;
}

nlohmann::json tiny_yolos() {
  nlohmann::json config = tiny_vit();
  config["model_type"] = "yolos";
  config["image_size"] = {12, 8};
  config["num_detection_tokens"] = 5;
  return config;
}

nlohmann::json tiny_segformer() {
  return {{"model_type", "segformer"}, {"num_encoder_blocks", 2},       {"hidden_sizes", {8, 12}},
          {"depths", {2, 1}},          {"num_attention_heads", {1, 2}}, {"patch_sizes", {7, 3}},
          {"strides", {4, 2}},         {"sr_ratios", {2, 1}},           {"mlp_ratios", {2, 2}},
          {"decoder_hidden_size", 16}, {"hidden_dropout_prob", 0.1},    {"attention_probs_dropout_prob", 0.1},
          {"drop_path_rate", 0.3},     {"initializer_range", 0.2}};
}

}  // namespace sft::equivalence
