// N_s packed rows of sources, N_t of targets, C channels; M rows of targets that are carried on in the last block.
#include "trainer/models/blocks/encoder_decoder.h"

#include <ATen/ops/cat.h>

#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// Sources ahead of targets. Most steps of generation have no new sources, and nothing to copy.
at::Tensor both(const at::Tensor& sources_NC, const at::Tensor& targets_NC) {
  return sources_NC.size(0) > 0 ? at::cat({sources_NC, targets_NC}) : targets_NC;
}

}  // namespace

EncoderDecoder::EncoderDecoder(nlohmann::json content, EncoderDecoderFacts facts, const ModelSettings& settings)
    : TextNetwork(std::move(content), settings), facts_(std::move(facts)) {}

std::optional<PairFacts> EncoderDecoder::pair() const {
  return PairFacts{.encoder_blocks = static_cast<int>(facts_.encoder_blocks),
                   .target_vocab_size = facts_.target_vocab_size,
                   .start_id = facts_.start_id};
}

// A step of generation may have no new sources.
at::Tensor EncoderDecoder::stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) {
  const PairInputs& pair = pair_of(inputs);
  if (s == 0) return embedding(Side::source, pair.source, mode).to(flow_type());
  if (s < first_of_targets()) return x.size(0) > 0 ? encoder_block(s - 1, x, {.inputs = pair.source}, mode) : x;
  if (s == first_of_targets()) return both(x, embedding(Side::target, pair.target, mode).to(flow_type()));

  const bool is_top = s == num_blocks();
  const ReadRows* const read = is_top && pair.target.read ? &*pair.target.read : nullptr;
  const PairRows rows{.inputs = pair, .targets = {.inputs = pair.target, .read = read}};
  const std::vector<at::Tensor> sides =
      x.split_with_sizes({pair.source.tokens_N.size(0), pair.target.tokens_N.size(0)});
  const at::Tensor y_MC = decoder_block(s - first_of_targets() - 1, sides[1], sides[0], rows, mode);
  return is_top ? y_MC : both(sides[0], y_MC);
}

int EncoderDecoder::stage_of(Side side, int64_t block) const {
  return static_cast<int>(block) + 1 + (side == Side::source ? 0 : first_of_targets());
}

bool EncoderDecoder::is_last(Side side, int64_t block) const {
  return block + 1 == (side == Side::source ? facts_.encoder_blocks : facts_.decoder_blocks);
}

// What is read are the targets. Keys and values of the sources are made anew in each block of the decoder.
double EncoderDecoder::flops(int64_t tokens, int64_t read) const {
  const auto targets = static_cast<double>(read), sources = static_cast<double>(tokens - read);
  const auto encoder = static_cast<double>(facts_.encoder_blocks), decoder = static_cast<double>(facts_.decoder_blocks);
  const double layer = 2 * static_cast<double>(facts_.width) * static_cast<double>(facts_.attention_width);
  return sources * (encoder * (4 * layer + 2 * static_cast<double>(facts_.encoder_mlp)) + decoder * 2 * layer) +
         targets * decoder * (6 * layer + 2 * static_cast<double>(facts_.decoder_mlp));
}

double EncoderDecoder::num_parameters() const {
  const auto width = static_cast<double>(facts_.width), encoder = static_cast<double>(facts_.encoder_blocks),
             decoder = static_cast<double>(facts_.decoder_blocks);
  const double layer = width * static_cast<double>(facts_.attention_width);
  return width * static_cast<double>(facts_.vocab_size) +
         encoder * (4 * layer + static_cast<double>(facts_.encoder_mlp)) +
         decoder * (8 * layer + static_cast<double>(facts_.decoder_mlp));
}

std::string EncoderDecoder::architecture(const std::string& class_ending) const {
  if (class_ending == "ForConditionalGeneration") return facts_.language_model;
  throw ConfigError(concat("model_type ", config()["model_type"].get<std::string>(),
                           " is not built as a transformers class that ends in ", class_ending,
                           "; it is for model.task = \"seq2seq_lm\""));
}

}  // namespace sft
