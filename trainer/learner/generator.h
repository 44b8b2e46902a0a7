// Generation from prompts by a language model: one engine for predictions, evaluations and chats.
//
// Prompts are packed, and then each sequence is one row a step, over the keys and values that are kept. A search that
// is over leaves at once, and the next prompt takes its place. Nothing is padded, and what follows a prompt does not
// depend on what stands beside it, but for the rounding of sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "trainer/learner/decoding_cache.h"
#include "trainer/learner/search.h"
#include "trainer/learner/stages.h"
#include "trainer/tasks/generate_config.h"
#include "trainer/tasks/generating.h"

namespace sft {

struct GeneratorSettings {
  GenerateConfig generate = {};
  uint64_t seed = 0;
  // At once, at most, each beam one; fewer where their keys and values would take more than `bytes`.
  // A step's products reach a core's speed at 32 rows.
  int64_t sequences = 32;
  int64_t bytes = int64_t{2} << 30;
  at::Device device = at::kCPU;
};

class Generator {
 public:
  // Logits of the next token [B, V] from features [B, C].
  using Head = std::function<at::Tensor(const at::Tensor& x_BC)>;
  using Done = std::function<void(size_t prompt, Continuation)>;
  // What is settled of an answer: token after token, but all at its end where it is searched by beams. False ends it.
  using Heard = std::function<bool(size_t prompt, std::span<const int32_t> answer)>;

  // Borrows the model, which is causal, or reads a source and writes a target. ConfigError for settings that are not
  // built.
  Generator(Model& model, Head head, const GeneratorSettings& settings);

  // Calls done(i, …) once for each prompt, as they end, and `heard`, where there is one, at each step. A prompt that
  // leaves the model no position for an answer ends by length at once.
  void run(std::span<const Prompt> prompts, const Done& done, const Heard& heard = {});

 private:
  struct Running {
    size_t prompt;
    int64_t place;  // one of those that search at once; it has a slot for each beam
    std::unique_ptr<Search> search;
  };

  int64_t start_size(const Prompt& prompt) const;  // tokens in front of its answer
  int64_t most_new(const Prompt& prompt) const;    // tokens of its answer; below 1: no position is left
  PlaceSize size_for(std::span<const Prompt> prompts) const;
  int64_t places_of(const PlaceSize& size, size_t num_prompts) const;
  std::unique_ptr<Search> begun(const Prompt& prompt, int64_t place, DecodingCache& cache) const;
  void step(std::span<const Running> running, DecodingCache& cache);
  at::Tensor logits_of(std::span<const NextTokens> batch, DecodingCache& cache);

  Model& model_;
  Stages stages_;
  Head head_;
  GeneratorSettings settings_;
  std::optional<PairFacts> pair_;  // of a model that reads sources
};

}  // namespace sft
