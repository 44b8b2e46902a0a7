// Making BERT's parameters, and their names in files.
#include <array>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/bert/bert.h"
#include "trainer/models/initialize.h"

namespace sft {

// Makes parameters in forward order and keeps the list of them.
class Bert::Builder {
 public:
  Builder(Bert& bert, const at::TensorOptions& options, uint64_t seed) : bert_(bert), options_(options), seed_(seed) {}

  at::Tensor table(const std::string& name, int64_t rows, int stage) {
    return drawn(name + ".weight", {rows, bert_.width()}, stage);
  }
  Linear linear(const std::string& name, int64_t out, int64_t in, int stage) {
    return {drawn(name + ".weight", {out, in}, stage), constant(name + ".bias", out, 0.0, stage)};
  }
  LayerNorm norm(const std::string& name, int stage) {
    return {constant(name + ".weight", bert_.width(), 1.0, stage), constant(name + ".bias", bert_.width(), 0.0, stage),
            bert_.config_.layer_norm_eps};
  }

 private:
  at::Tensor drawn(const std::string& name, at::IntArrayRef shape, int stage) {
    return listed(name,
                  normal_parameter(bert_.prefix() + name, shape, bert_.config_.initializer_range, seed_, options_),
                  stage, true);
  }
  at::Tensor constant(const std::string& name, int64_t size, double value, int stage) {
    return listed(name, constant_parameter({size}, value, options_), stage, false);
  }
  at::Tensor listed(const std::string& name, const at::Tensor& value, int stage, bool decays) {
    value.set_requires_grad(true);
    bert_.parameters_.push_back({bert_.prefix() + name, value, stage, decays});
    return value;
  }

  Bert& bert_;
  at::TensorOptions options_;
  uint64_t seed_;
};

Bert::Bert(nlohmann::json content, const at::Device& device, at::ScalarType dtype, uint64_t seed)
    : content_(std::move(content)), config_(read_bert_config(content_)) {
  const int64_t channels = config_.hidden_size, inner = config_.intermediate_size;
  Builder build(*this, at::TensorOptions(device).dtype(dtype), seed);
  tables_.word_VC = build.table("embeddings.word_embeddings", config_.vocab_size, 0);
  tables_.position_PC = build.table("embeddings.position_embeddings", config_.max_position_embeddings, 0);
  tables_.segment_SC = build.table("embeddings.token_type_embeddings", config_.type_vocab_size, 0);
  tables_.padding_id = config_.pad_token_id;
  if (tables_.padding_id >= 0) tables_.word_VC.detach()[tables_.padding_id].zero_();
  embedding_norm_ = build.norm("embeddings.LayerNorm", 0);
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    const std::string name = concat("encoder.layer.", i, ".");
    const int stage = static_cast<int>(i) + 1;
    BertBlock block;
    block.query = build.linear(name + "attention.self.query", channels, channels, stage);
    block.key = build.linear(name + "attention.self.key", channels, channels, stage);
    block.value = build.linear(name + "attention.self.value", channels, channels, stage);
    block.attention_output = build.linear(name + "attention.output.dense", channels, channels, stage);
    block.attention_norm = build.norm(name + "attention.output.LayerNorm", stage);
    block.intermediate = build.linear(name + "intermediate.dense", inner, channels, stage);
    block.output = build.linear(name + "output.dense", channels, inner, stage);
    block.output_norm = build.norm(name + "output.LayerNorm", stage);
    blocks_.push_back(block);
  }
  pooler_ = build.linear("pooler.dense", channels, channels, num_blocks() + 1);
  training_.assign(blocks_.size() + 1, false);
}

std::string Bert::architecture(const std::string& task) const {
  static constexpr std::array<std::pair<const char*, const char*>, 3> kClasses{{
      {"text_classification", "BertForSequenceClassification"},
      {"token_classification", "BertForTokenClassification"},
      {"question_answering", "BertForQuestionAnswering"},
  }};
  for (const auto& [name, architecture] : kClasses) {
    if (task == name) return architecture;
  }
  throw ConfigError(concat("model_type bert has no transformers class for task ", quoted(task)));
}

// TensorFlow's spelling of norm weights survives in old files, and files of BertModel have no prefix.
std::string Bert::canonical(const std::string& file_name) const {
  std::string name = file_name;
  for (const auto& [old_end, new_end] : {std::pair{".gamma", ".weight"}, {".beta", ".bias"}}) {
    const std::string ending = std::string("LayerNorm") + old_end;
    if (name.ends_with(ending)) name.replace(name.size() - std::string(old_end).size(), std::string::npos, new_end);
  }
  for (const char* part : {"embeddings.", "encoder.", "pooler."}) {
    if (name.starts_with(part)) return prefix() + name;
  }
  return name;
}

}  // namespace sft
