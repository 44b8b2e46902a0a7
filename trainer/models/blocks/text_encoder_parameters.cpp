// Making an encoder's parameters, and their names in files.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "trainer/models/blocks/encoder_class.h"
#include "trainer/models/blocks/matrix_product.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/text_encoder.h"

namespace sft {
namespace {

// In floating point, which cannot overflow; vectors are left out beside the matrices.
double num_parameters(const EncoderShape& shape) {
  const auto width = static_cast<double>(shape.width);
  const double rows = static_cast<double>(shape.vocab_size + shape.positions + shape.segments);
  const double narrow = static_cast<double>(shape.embedding_width);
  const double sets = static_cast<double>(shape.blocks) / static_cast<double>(shape.blocks_sharing_weights);
  return (narrow > 0 ? (rows + width) * narrow : rows * width) + static_cast<double>(shape.distances) * width +
         sets * (4 * width + 2 * static_cast<double>(shape.inner)) * width;
}

std::string described(const EncoderShape& shape) {
  const std::string distances = shape.distances > 0 ? concat(shape.distances, " distances, ") : "";
  return concat("a vocabulary of ", shape.vocab_size, ", ", distances, shape.positions, " positions and ", shape.blocks,
                " layers of ", shape.width, " and ", shape.inner, " channels");
}

}  // namespace

TextEncoder::TextEncoder(nlohmann::json content, const EncoderShape& shape, const EncoderNames& names,
                         const ModelSettings& settings)
    : content_(std::move(content)),
      shape_(shape),
      names_(names),
      options_(settings.options()),
      flow_type_(settings.dtype),
      seed_(settings.seed),
      dropout_seed_(settings.dropout_seed) {
  keep_few_products();
  require_memory_for(num_parameters(shape_), settings.held_options(), described(shape_));
  const int64_t channels = shape_.embedding_width > 0 ? shape_.embedding_width : shape_.width;
  ParameterBuilder build = builder();
  tables_.word_VC = build.table("embeddings.word_embeddings", shape_.vocab_size, channels, shape_.padding_id, 0);
  if (shape_.positions > 0)
    tables_.position_PC =
        build.table("embeddings.position_embeddings", shape_.positions, channels, shape_.padding_position, 0);
  if (shape_.segments > 0)
    tables_.segment_SC = build.table("embeddings.token_type_embeddings", shape_.segments, channels, -1, 0);
  tables_.type = settings.dtype;
  tables_.padding_id = shape_.padding_id;
  tables_.padding_position = shape_.padding_position;
  embedding_norm_ = build.norm("embeddings.LayerNorm", channels, shape_.norm_eps, 0);
  if (!names_.projection.empty()) projection_ = build.linear(names_.projection, shape_.width, channels, 0);
  for (int64_t i = 0; i < shape_.blocks / shape_.blocks_sharing_weights; ++i) blocks_.push_back(make_block(build, i));
  if (settings.compute_type) compute_in(*settings.compute_type);
}

std::string TextEncoder::block_name(int64_t i) const { return concat(names_.blocks, i, names_.behind_number); }

EncoderBlock TextEncoder::make_block(ParameterBuilder& build, int64_t i) const {
  const std::string name = block_name(i);
  const int64_t channels = shape_.width;
  const auto linear = [&](const std::string& part, int64_t out, int64_t in) {
    return build.linear(name + part, out, in, stage_of(i));
  };
  const auto norm = [&](const std::string& part) {
    return build.norm(name + part, channels, shape_.norm_eps, stage_of(i));
  };
  EncoderBlock block;
  block.query = linear(names_.query, channels, channels);
  block.key = linear(names_.key, channels, channels);
  block.value = linear(names_.value, channels, channels);
  block.attention_output = linear(names_.attention_output, channels, channels);
  block.attention_norm = norm(names_.attention_norm);
  block.intermediate = linear(names_.intermediate, shape_.inner, channels);
  block.output = linear(names_.output, channels, shape_.inner);
  block.output_norm = norm(names_.output_norm);
  return block;
}

std::vector<NamedLinear> TextEncoder::linears() {
  std::vector<NamedLinear> all;
  if (projection_.weight.defined())
    all.push_back({.name = names_.prefix + names_.projection, .layer = &projection_, .stage = 0});
  for (size_t i = 0; i < blocks_.size(); ++i) {
    EncoderBlock& block = blocks_[i];
    const std::string name = names_.prefix + block_name(static_cast<int64_t>(i));
    const int stage = stage_of(static_cast<int64_t>(i));
    for (const auto& [part, layer] : {std::pair{&names_.query, &block.query},
                                      {&names_.key, &block.key},
                                      {&names_.value, &block.value},
                                      {&names_.attention_output, &block.attention_output},
                                      {&names_.intermediate, &block.intermediate},
                                      {&names_.output, &block.output}})
      all.push_back({.name = name + *part, .layer = layer, .stage = stage});
  }
  if (has_pooler()) all.push_back({.name = names_.prefix + pooler_name_, .layer = &pooler_, .stage = pooler_stage()});
  return all;
}

void TextEncoder::add_pooler(const std::string& name) {
  pooler_name_ = name;
  pooler_ = builder().linear(name, shape_.width, shape_.width, pooler_stage());
}

void TextEncoder::sort_by_stage() { std::ranges::stable_sort(parameters_, {}, &Parameter::stage); }

ParameterBuilder TextEncoder::builder() {
  return {parameters_, names_.prefix, options_, shape_.initializer_range, seed_};
}

std::string TextEncoder::architecture(const std::string& class_ending) const {
  return encoder_class(names_.architecture, content_["model_type"].get<std::string>(), class_ending);
}

// TensorFlow's spelling of norm weights survives in old files, and files of the base class have no prefix.
std::string TextEncoder::canonical(const std::string& file_name) const {
  std::string name = file_name;
  for (const auto& [old_end, new_end] : {std::pair{".gamma", ".weight"}, {".beta", ".bias"}}) {
    const std::string ending = std::string("LayerNorm") + old_end;
    if (name.ends_with(ending)) name.replace(name.size() - std::string(old_end).size(), std::string::npos, new_end);
  }
  const std::string blocks = names_.blocks.substr(0, names_.blocks.find('.') + 1);
  for (const std::string& part : {std::string("embeddings."), blocks, std::string("pooler.")})
    if (name.starts_with(part)) return names_.prefix + name;
  const bool is_projection = !names_.projection.empty() && name.starts_with(names_.projection + ".");
  return is_projection ? names_.prefix + name : name;
}

}  // namespace sft
