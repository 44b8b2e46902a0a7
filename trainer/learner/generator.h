// Generation from prompts by a language model: one engine for predictions, evaluations and chats.
//
// Prompts are packed, and then each sequence is one row a step, over the keys and values that are kept. A sequence that
// has ended leaves at once, and the next prompt takes its place. Nothing is padded, and what follows a prompt does not
// depend on what stands beside it, but for the rounding of sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "trainer/learner/stages.h"
#include "trainer/models/decoding_inputs.h"
#include "trainer/tasks/generate_config.h"
#include "trainer/tasks/generating.h"

namespace sft {

struct GeneratorSettings {
  GenerateConfig generate = {};
  uint64_t seed = 0;
  int64_t sequences = 16;  // at once, at most; fewer where their keys and values would take more than `bytes`
  int64_t bytes = int64_t{2} << 30;
  at::Device device = at::kCPU;
};

class Generator {
 public:
  // Logits of the next token [B, V] from features [B, C].
  using Head = std::function<at::Tensor(const at::Tensor& x_BC)>;

  // Borrows the model, which reads text and is causal.
  Generator(Model& model, Head head, const GeneratorSettings& settings);

  // Calls done(i, …) once for each prompt, as they end. A prompt that leaves the model no position for an answer ends
  // by length at once. `token`, where there is one, is called with each token as it comes; false ends that answer.
  void run(std::span<const Prompt> prompts, const std::function<void(size_t, Continuation)>& done,
           const std::function<bool(size_t, int32_t)>& token = {});

 private:
  struct Sequence {
    size_t prompt;
    NextTokens next;
    std::vector<int32_t> all;  // tokens of the prompt and of the answer so far
    Continuation continuation;
    int64_t most_new;
  };

  int64_t room_for(const Prompt& prompt) const;  // positions that are left
  int64_t slots_of(int64_t capacity) const;
  Sequence begun(const Prompt& prompt, size_t number, int64_t slot) const;
  at::Tensor logits_of(std::span<const NextTokens> batch, KeyValueCache& cache);
  bool ends(int32_t token) const;

  Model& model_;
  Stages stages_;
  Head head_;
  GeneratorSettings settings_;
};

}  // namespace sft
