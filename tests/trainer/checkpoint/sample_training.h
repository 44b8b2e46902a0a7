// A small training to be saved: tensors of every kind, whose bytes follow from a seed.
#pragma once

#include <cstddef>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "trainer/checkpoint/checkpoints.h"
#include "trainer/checkpoint/dtype.h"

namespace sft {

class SampleTraining {
 public:
  // As it stands after `step` updates; with `scale` > 1 larger.
  explicit SampleTraining(int64_t step, int64_t scale = 1) : random_(static_cast<uint64_t>(step)) {
    content_.step = step;
    content_.state = {{"global_step", step}, {"epoch", 0.1 * static_cast<double>(step)}};
    content_.settings = {{"optim.learning_rate", 5e-5}, {"seed", 42}};
    content_.files = {{"config.json", "{\"model_type\": \"bert\"}\n"}, {"vocab.txt", "[PAD]\n[UNK]\n"}};
    content_.model = {tensor("embeddings.weight", "F32", {50 * scale, 8}),
                      tensor("layer.weight", "F32", {8, 8}),
                      tensor("layer.mask", "BOOL", {3}),
                      tensor("layer.bias", "BF16", {7}),
                      tensor("layer.count", "I64", {}),
                      tensor("layer.nothing", "F32", {0, 4})};
    content_.optimizer = {tensor("exp_avg", "F32", {1003 * scale}), tensor("exp_avg_sq", "F32", {1003 * scale}),
                          tensor("updates", "I64", {1})};
  }

  const CheckpointContent& content() const { return content_; }
  CheckpointContent& content() { return content_; }

  // The same tensors, every byte zero.
  void clear() {
    for (auto& bytes : memory_) std::fill(bytes.begin(), bytes.end(), std::byte{0});
  }

  std::vector<std::vector<std::byte>> bytes() const { return {memory_.begin(), memory_.end()}; }

 private:
  TensorRef tensor(std::string name, std::string dtype, std::vector<int64_t> shape) {
    int64_t bytes = bytes_of_dtype(dtype);
    for (const int64_t extent : shape) bytes *= extent;
    auto& memory = memory_.emplace_back(static_cast<size_t>(bytes));
    // Without its second highest bit in any byte no floating point number has the exponent of NaN.
    for (std::byte& byte : memory) byte = static_cast<std::byte>(random_() & (dtype == "BOOL" ? 1 : 0xBF));
    return {std::move(name), std::move(dtype), std::move(shape), memory.data(), bytes};
  }

  std::mt19937_64 random_;
  std::deque<std::vector<std::byte>> memory_;
  CheckpointContent content_;
};

// Cuts so small that even this training is shared out.
inline constexpr CutSizes kSmallCuts{.model_file_bytes = 900, .optimizer_slice_bytes = 256};

}  // namespace sft
