#include "trainer/models/model_fixtures.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include "base/errors.h"
#include "support/texts.h"
#include "trainer/learner/stages.h"

namespace sft::testing {

nlohmann::json small_config(const std::string& model_type) {
  if (model_type == "distilbert")
    return {{"model_type", model_type},
            {"vocab_size", 50},
            {"dim", 20},
            {"n_layers", 3},
            {"n_heads", 4},
            {"hidden_dim", 37},
            {"dropout", 0.2},
            {"attention_dropout", 0.3},
            {"initializer_range", 0.3},
            {"max_position_embeddings", 40}};
  if (model_type == "gpt2")
    return {{"model_type", model_type},
            {"vocab_size", 50},
            {"n_embd", 20},
            {"n_layer", 3},
            {"n_head", 4},
            {"n_inner", 37},
            {"n_positions", 40},
            {"embd_pdrop", 0.2},
            {"resid_pdrop", 0.2},
            {"attn_pdrop", 0.3},
            {"initializer_range", 0.3}};
  for (const char* decoder : {"llama", "mistral", "qwen2", "qwen3"})
    if (model_type == decoder)
      return {{"model_type", model_type},
              {"vocab_size", 50},
              {"hidden_size", 20},
              {"num_hidden_layers", 3},
              {"num_attention_heads", 4},
              {"num_key_value_heads", 2},
              {"head_dim", 6},
              {"intermediate_size", 37},
              {"max_position_embeddings", 40},
              {"sliding_window", 7},
              {"attention_dropout", 0.3},
              {"pad_token_id", 3},
              {"initializer_range", 0.3}};
  if (model_type == "t5" || model_type == "mt5")
    return {{"model_type", model_type},
            {"vocab_size", 50},
            {"d_model", 20},
            {"d_kv", 6},
            {"num_heads", 3},
            {"d_ff", 37},
            {"num_layers", 2},
            {"num_decoder_layers", 3},
            {"relative_attention_num_buckets", 8},
            {"relative_attention_max_distance", 12},
            {"dropout_rate", 0.2}};
  if (model_type == "marian" || model_type == "bart")
    return {{"model_type", model_type},
            {"vocab_size", 50},
            {"d_model", 20},
            {"encoder_layers", 2},
            {"decoder_layers", 3},
            {"encoder_attention_heads", 4},
            {"decoder_attention_heads", 2},
            {"encoder_ffn_dim", 37},
            {"decoder_ffn_dim", 29},
            {"dropout", 0.2},
            {"attention_dropout", 0.3},
            {"activation_dropout", 0.1},
            {"activation_function", "swish"},
            {"scale_embedding", true},
            {"pad_token_id", 49},
            {"decoder_start_token_id", 49},
            {"max_position_embeddings", 40},
            {"init_std", 0.3}};
  if (model_type == "modernbert")
    return {{"model_type", model_type},      {"vocab_size", 50},         {"hidden_size", 20},
            {"num_hidden_layers", 3},        {"num_attention_heads", 2}, {"intermediate_size", 37},
            {"max_position_embeddings", 40}, {"local_attention", 6},     {"global_attn_every_n_layers", 2},
            {"embedding_dropout", 0.2},      {"attention_dropout", 0.3}, {"mlp_dropout", 0.2},
            {"classifier_dropout", 0.1},     {"pad_token_id", 3},        {"initializer_range", 0.3}};
  if (model_type == "xlnet")
    return {{"model_type", model_type},
            {"vocab_size", 50},
            {"d_model", 20},
            {"n_layer", 3},
            {"n_head", 2},
            {"d_inner", 37},
            {"dropout", 0.2},
            {"clamp_len", 12},
            {"initializer_range", 0.3}};
  // RoBERTa's positions begin behind the padding's row, which is 1.
  nlohmann::json config = {{"model_type", model_type},
                           {"vocab_size", 50},
                           {"hidden_size", 20},
                           {"num_hidden_layers", 3},
                           {"num_attention_heads", 4},
                           {"intermediate_size", 37},
                           {"max_position_embeddings", model_type == "roberta" ? 42 : 40},
                           {"type_vocab_size", 3},
                           {"hidden_dropout_prob", 0.2},
                           {"attention_probs_dropout_prob", 0.3},
                           {"initializer_range", 0.3}};
  // Groups of one block each; albert_test.cpp has those of several.
  if (model_type == "electra" || model_type == "albert") config["embedding_size"] = 12;
  if (model_type == "albert") config["num_hidden_groups"] = 3;
  if (model_type == "deberta-v2")
    config.update({{"relative_attention", true},
                   {"share_att_key", true},
                   {"pos_att_type", "p2c|c2p"},
                   {"norm_rel_ebd", "layer_norm"},
                   {"position_buckets", 8},
                   {"position_biased_input", false}});
  return config;
}

std::unique_ptr<Model> small_model(const std::string& model_type, at::ScalarType dtype, uint64_t dropout_seed) {
  return make_model(small_config(model_type), {.dtype = dtype, .seed = 5, .dropout_seed = dropout_seed});
}

void expect_refused(const std::string& model_type, const char* key, const nlohmann::json& value,
                    const std::string& part) {
  nlohmann::json config = small_config(model_type);
  config[key] = value;
  try {
    make_model(config, {.seed = 0});
    FAIL() << key << " = " << value << " was accepted";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

Batch batch_of(const std::vector<int64_t>& lengths) {
  uint64_t state = 12345;
  const auto below = [&](int64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>(state >> 33) % bound;
  };
  std::vector<Text> texts;
  for (const int64_t length : lengths) {
    Text& text = texts.emplace_back();
    for (int64_t i = 0; i < length; ++i) {
      text.tokens.push_back(static_cast<int32_t>(1 + below(49)));
      text.segments.push_back(static_cast<uint8_t>(below(3)));
    }
  }
  Batch batch = sft::batch_of(text_schema(label_column(1), 50, /*segments=*/true), texts);
  for (int64_t& draw : batch.draws) draw = 1000 + 7 * draw;
  return batch;
}

Batch only(const Batch& batch, int64_t b) {
  const Offsets& offsets = batch.offsets("token");
  const auto first = static_cast<size_t>(offsets[static_cast<size_t>(b)]);
  const auto length = static_cast<size_t>(offsets[static_cast<size_t>(b) + 1]) - first;
  const auto tokens = batch.at("tokens").as<int32_t>().subspan(first, length);
  const auto segments = batch.at("segments").as<uint8_t>().subspan(first, length);
  const Text text{.tokens = {tokens.begin(), tokens.end()}, .segments = {segments.begin(), segments.end()}};
  Batch one = sft::batch_of(batch.schema, {text});
  one.ids = {b};
  one.draws = {batch.draws[static_cast<size_t>(b)]};
  return one;
}

Reading reading_of(Reads reads, const Batch& batch) {
  Reading reading{reads};
  if (reads != Reads::with_target) return reading;
  const Offsets& offsets = batch.offsets("token");
  for (size_t b = 0; b + 1 < offsets.size(); ++b)
    for (int64_t row = offsets[b] + (offsets[b + 1] - offsets[b] + 2) / 3; row < offsets[b + 1]; ++row)
      reading.rows.push_back(row);
  return reading;
}

at::Tensor forward(Model& model, const Inputs& inputs, Mode mode) { return Stages(model).forward(inputs, mode); }

double distance(const at::Tensor& a, const at::Tensor& b) {
  const double size = b.norm().item<double>();
  return (a - b).norm().item<double>() / (size > 0 ? size : 1.0);
}

at::Tensor drawn(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::empty(shape, at::kDouble).normal_(0.0, 1.0, generator).to(dtype);
}

at::Tensor leaf(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype) {
  return drawn(shape, seed, dtype).set_requires_grad(true);
}

std::map<std::string, Parameter> by_name(const Model& model) {
  std::map<std::string, Parameter> all;
  for (const Parameter& parameter : model.parameters()) all[parameter.name] = parameter;
  return all;
}

void expect_derivative(const std::function<at::Tensor()>& f, const std::vector<at::Tensor>& leaves, double tolerance) {
  for (const at::Tensor& each : leaves) each.mutable_grad() = at::Tensor();
  f().backward();
  constexpr double kStep = 1e-5;
  for (size_t i = 0; i < leaves.size(); ++i) {
    const at::Tensor direction = drawn(leaves[i].sizes(), 77 + i);
    const at::NoGradGuard no_graph;
    at::Tensor place = leaves[i].detach();
    place.add_(direction, kStep);
    const double above = f().item<double>();
    place.sub_(direction, 2 * kStep);
    const double below = f().item<double>();
    place.add_(direction, kStep);
    const double slope = (leaves[i].grad() * direction).sum().item<double>();
    EXPECT_NEAR(slope, (above - below) / (2 * kStep), tolerance * std::max(1.0, std::abs(slope))) << "leaf " << i;
  }
}

}  // namespace sft::testing
