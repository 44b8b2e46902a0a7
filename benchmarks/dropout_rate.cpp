// Dropout whose mask is a function of its place beside torch's, on one core: alone, and where the model has it, between
// a layer's product and its LayerNorm. Forward and backward of [rows, channels] in float32, rate 0.1; the two in turn,
// the fastest of all repeats.
//
//   dropout_rate [ROWS [CHANNELS [REPEATS]]]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>

#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/dropout.h"

namespace {

using namespace sft;

constexpr double kRate = 0.1;

double seconds(const std::function<at::Tensor()>& forward, const at::Tensor& leaf, const at::Tensor& grad) {
  leaf.mutable_grad() = at::Tensor();
  const auto start = std::chrono::steady_clock::now();
  forward().backward(grad);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void compare(const char* what, const at::Tensor& leaf, int64_t repeats, const std::function<at::Tensor()>& ours,
             const std::function<at::Tensor()>& torchs) {
  const at::Tensor grad = at::randn_like(leaf);
  double own = std::numeric_limits<double>::infinity(), peer = own;
  for (int64_t i = 0; i < repeats; ++i) {
    own = std::min(own, seconds(ours, leaf, grad));
    peer = std::min(peer, seconds(torchs, leaf, grad));
  }
  std::printf("%-40s torch %8.3f ms   sft-dist %8.3f ms   %5.2f times as fast\n", what, 1e3 * peer, 1e3 * own,
              peer / own);
}

int64_t argument(int argc, char** argv, int at, int64_t otherwise) {
  return argc > at ? std::atoll(argv[at]) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  at::set_num_threads(1);
  const int64_t rows = argument(argc, argv, 1, 2624), channels = argument(argc, argv, 2, 384),
                repeats = argument(argc, argv, 3, 50);
  const at::Tensor x = at::randn({rows, channels}).requires_grad_();
  const at::Tensor residual = at::randn({rows, channels}), bias = at::randn({channels});
  const at::Tensor draws = at::arange(rows, at::kLong).div(82, "floor"), positions = at::arange(rows, at::kLong) % 82;
  const LayerNorm norm{at::rand({channels}), at::rand({channels})};
  const DropoutKey key = dropout_key(1, "attention.output");

  std::printf("[%ld, %ld], rate %.1f, one thread, forward and backward\n", rows, channels, kRate);
  compare(
      "dropout", x, repeats, [&] { return keyed_dropout(x, key, draws, positions, kRate); },
      [&] { return at::dropout(x, kRate, /*train=*/true); });
  compare(
      "LayerNorm(dropout(x + bias) + residual)", x, repeats,
      [&] {
        return add_norm(x, bias, residual, norm, {key, kRate}, draws, positions);
      },
      [&] {
        const at::Tensor sum = at::dropout(x + bias, kRate, /*train=*/true) + residual;
        return at::layer_norm(sum, {channels}, norm.weight, norm.bias, norm.eps);
      });
}
