// Forward and backward of four blocks of SmolLM2-135M's shape (576 channels, 9 heads of 64 over 3 key heads, 1,536
// inner) on 8 sequences of 128 tokens, against the time that their matrix products alone would take at the speed
// measured in the same run. benchmarks/decoder_blocks.py runs it beside transformers.
//
//   bench_decoder [threads [repeats]]
//
// Seconds are the least of all repeats: other work on the machine only adds.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/process.h"
#include "base/stopwatch.h"
#include "tests/support/texts.h"
#include "trainer/learner/stages.h"
#include "trainer/models/blocks/matrix_product.h"

namespace {

constexpr int64_t kSequences = 8, kTokens = 128, kWidth = 576, kInner = 1536, kBlocks = 4;

// FLOP/s of the gate's product.
double gemm_peak(int repeats) {
  const at::Tensor x = at::randn({kSequences * kTokens, kWidth}), w = at::randn({kInner, kWidth});
  double seconds = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats; ++i) {
    const sft::Stopwatch watch;
    sft::product(x, w.t());
    seconds = std::min(seconds, watch.seconds());
  }
  return 2.0 * static_cast<double>(x.size(0) * kInner * kWidth) / seconds;
}

sft::Batch batch() {
  std::vector<sft::Text> texts;
  for (int64_t b = 0; b < kSequences; ++b) {
    sft::Text& text = texts.emplace_back();
    for (int64_t i = 0; i < kTokens; ++i)
      text.tokens.push_back(static_cast<int32_t>(1 + (b * 7919 + i * 104729) % 900));
  }
  return sft::batch_of(sft::text_schema(sft::label_column(1)), texts);
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1, repeats = count > 2 ? std::atoi(arguments[2]) : 10;
  sft::keep_freed_memory();  // as the program does
  at::set_num_threads(threads);
  const nlohmann::json config{{"model_type", "llama"},       {"hidden_size", kWidth},    {"num_hidden_layers", kBlocks},
                              {"num_attention_heads", 9},    {"num_key_value_heads", 3}, {"head_dim", 64},
                              {"intermediate_size", kInner}, {"vocab_size", 1000}};
  const auto model = sft::make_model(config, {.seed = 1});
  for (const sft::Parameter& parameter : model->parameters())
    parameter.value.mutable_grad() = at::zeros_like(parameter.value);
  const sft::Inputs inputs = sft::to_device(batch(), at::kCPU);
  const int64_t rows = kSequences * kTokens;
  double seconds = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats; ++i) {
    const sft::Stopwatch watch;
    sft::Stages(*model).forward(inputs, sft::Mode::training).sum().backward();
    seconds = std::min(seconds, watch.seconds());
  }
  const double peak = gemm_peak(5 * repeats), products = 3 * model->flops(rows, rows) / peak;
  std::printf("%d threads, products at %.1f GFLOP/s: step %.1f ms, %.0f tokens/s, products alone %.1f ms = %.1f %%\n",
              threads, peak / 1e9, seconds * 1e3, static_cast<double>(rows) / seconds, products * 1e3,
              100 * products / seconds);
}
