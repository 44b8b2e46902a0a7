// Forward and backward of a MiniLM-sized BERT (6 blocks of 384, 12 heads, 30,522 words) on 32 sequences, dropout on,
// against the time that its matrix products alone would take at the speed measured in the same run.
//
//   bench_model [threads [repeats [profile]]]     profile: only the long rows, for perf
//
// Seconds are the least of all repeats: other work on the machine only adds.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/process.h"
#include "base/stopwatch.h"
#include "tests/support/texts.h"
#include "trainer/learner/stages.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/matrix_product.h"

namespace {

constexpr int64_t kSequences = 32, kWidth = 384;

double least_seconds(int repeats, const std::function<void()>& work) {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats; ++i) {
    const sft::Stopwatch watch;
    work();
    least = std::min(least, watch.seconds());
  }
  return least;
}

// FLOP/s of the intermediate layer's product, on the rows of the long batch.
double gemm_peak(int repeats) {
  const at::Tensor x = at::randn({kSequences * 82, kWidth}), w = at::randn({4 * kWidth, kWidth});
  const double seconds = least_seconds(repeats, [&] { sft::product(x, w.t()); });
  return 2.0 * static_cast<double>(x.size(0) * w.size(0) * kWidth) / seconds;
}

sft::Batch batch_of(int64_t length) {
  std::vector<sft::Text> texts;
  for (int64_t b = 0; b < kSequences; ++b) {
    sft::Text& text = texts.emplace_back();
    for (int64_t i = 0; i < length; ++i)
      text.tokens.push_back(static_cast<int32_t>(1 + (b * 7919 + i * 104729) % 30000));
  }
  return sft::batch_of(sft::text_schema(sft::label_column(1)), texts);
}

// Products of one step: all blocks but the last in full; in the last, keys and values of all rows and the rest for
// first rows only. Backward does each twice.
double step_flops(int64_t length) {
  const double rows = static_cast<double>(kSequences * length), firsts = static_cast<double>(kSequences);
  const double square = 2.0 * kWidth * kWidth;
  return 3.0 * (5 * rows * 12 * square + rows * 2 * square + firsts * 10 * square);
}

void step(sft::Model& model, int64_t length, double peak, int repeats) {
  const sft::Inputs inputs = sft::to_device(batch_of(length), at::kCPU, {sft::Reads::first});
  double forward = std::numeric_limits<double>::infinity(), backward = forward, whole = forward;
  for (int i = 0; i < repeats; ++i) {
    sft::Stopwatch watch;
    const at::Tensor loss = model.pool(sft::Stages(model).forward(inputs, sft::Mode::training), {}).sum();
    const double middle = watch.seconds();
    loss.backward();
    const double end = watch.seconds();
    forward = std::min(forward, middle);
    backward = std::min(backward, end - middle);
    whole = std::min(whole, end);
  }
  const double products = step_flops(length) / peak;
  std::printf("%4ld tokens: forward %7.1f ms  backward %7.1f ms  step %7.1f ms  products alone %7.1f ms = %4.1f %%\n",
              length, forward * 1e3, backward * 1e3, whole * 1e3, products * 1e3, 100 * products / whole);
}

void dropout_alone(int repeats) {
  const int64_t rows = kSequences * 82;
  const at::Tensor x = at::randn({rows, kWidth}), draws = at::arange(rows), positions = at::zeros_like(draws);
  const sft::DropoutKey key = sft::dropout_key(1, "bench");
  const double keyed = least_seconds(repeats, [&] { sft::keyed_dropout(x, key, draws, positions, 0.1); });
  const double torch = least_seconds(repeats, [&] { at::dropout(x, 0.1, true); });
  const double copied = least_seconds(repeats, [&] { x.clone(); });
  std::printf("dropout of [%ld, %ld]: keyed %.2f ms, at::dropout %.2f ms, a copy %.2f ms\n", rows, kWidth, keyed * 1e3,
              torch * 1e3, copied * 1e3);
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1, repeats = count > 2 ? std::atoi(arguments[2]) : 10;
  const bool profile = count > 3;
  sft::keep_freed_memory();  // as the program does
  at::set_num_threads(threads);
  const nlohmann::json config{{"model_type", "bert"},      {"hidden_size", kWidth},           {"num_hidden_layers", 6},
                              {"num_attention_heads", 12}, {"intermediate_size", 4 * kWidth}, {"vocab_size", 30522}};
  const auto model = sft::make_model(config, {.seed = 1});
  for (const sft::Parameter& parameter : model->parameters())
    parameter.value.mutable_grad() = at::zeros_like(parameter.value);

  const double peak = gemm_peak(5 * repeats);
  std::printf("%d threads, products at %.1f GFLOP/s\n", threads, peak / 1e9);
  step(*model, 82, peak, repeats);
  if (profile) return 0;
  step(*model, 12, peak, repeats);
  dropout_alone(5 * repeats);
}
