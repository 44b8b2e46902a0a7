#include "trainer/learner/generator.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "trainer/learner/next_token.h"

namespace sft {
namespace {

constexpr int64_t kPromptTokens = 2048;  // of new prompts that are read at once

int64_t positions_of(const Model& model) { return model.text_limits()->max_positions; }

}  // namespace

Generator::Generator(Model& model, Head head, const GeneratorSettings& settings)
    : model_(model), stages_(model), head_(std::move(head)), settings_(settings) {}

void Generator::run(std::span<const Prompt> prompts, const std::function<void(size_t, Continuation)>& done,
                    const std::function<bool(size_t, int32_t)>& token) {
  const at::NoGradGuard no_graph;
  int64_t capacity = 0;
  for (const Prompt& prompt : prompts)
    capacity =
        std::max(capacity, static_cast<int64_t>(prompt.tokens.size()) +
                               std::min(std::max<int64_t>(room_for(prompt), 0), settings_.generate.max_new_tokens));
  capacity = std::min(capacity, positions_of(model_));
  const int64_t num_slots = std::min(slots_of(capacity), static_cast<int64_t>(prompts.size()));
  KeyValueCache cache(num_slots, capacity);
  std::vector<int64_t> free_slots;
  for (int64_t slot = num_slots; slot-- > 0;) free_slots.push_back(slot);

  std::vector<Sequence> running;
  for (size_t waiting = 0; waiting < prompts.size() || !running.empty();) {
    for (int64_t new_tokens = 0; waiting < prompts.size() && !free_slots.empty() && new_tokens < kPromptTokens;) {
      const size_t number = waiting++;
      if (room_for(prompts[number]) < 1) {
        done(number, {});
        continue;
      }
      running.push_back(begun(prompts[number], number, free_slots.back()));
      new_tokens += static_cast<int64_t>(prompts[number].tokens.size());
      free_slots.pop_back();
    }
    if (running.empty()) continue;
    std::vector<NextTokens> batch;
    for (Sequence& sequence : running) batch.push_back(sequence.next);
    const at::Tensor logits_BV = logits_of(batch, cache);
    std::vector<Sequence> going_on;
    for (size_t b = 0; b < running.size(); ++b) {
      Sequence& sequence = running[b];
      const float* first = logits_BV.const_data_ptr<float>() + static_cast<int64_t>(b) * logits_BV.size(1);
      std::vector<float> logits(first, first + logits_BV.size(1));
      const auto place = static_cast<int64_t>(sequence.continuation.tokens.size());
      const int32_t chosen =
          next_token(logits, sequence.all, settings_.generate, {settings_.seed, prompts[sequence.prompt].row, place});
      sequence.continuation.stopped = ends(chosen);
      if (!sequence.continuation.stopped) sequence.continuation.tokens.push_back(chosen);
      const bool wanted = sequence.continuation.stopped || !token || token(sequence.prompt, chosen);
      if (sequence.continuation.stopped || !wanted || place + 1 == sequence.most_new) {
        free_slots.push_back(sequence.next.slot);
        done(sequence.prompt, std::move(sequence.continuation));
        continue;
      }
      sequence.all.push_back(chosen);
      sequence.next.kept += static_cast<int64_t>(sequence.next.tokens.size());
      sequence.next.tokens = {chosen};
      going_on.push_back(std::move(sequence));
    }
    running = std::move(going_on);
  }
}

Generator::Sequence Generator::begun(const Prompt& prompt, size_t number, int64_t slot) const {
  return {number,
          {slot, 0, prompt.tokens},
          prompt.tokens,
          {},
          std::min(room_for(prompt), settings_.generate.max_new_tokens)};
}

int64_t Generator::room_for(const Prompt& prompt) const {
  return positions_of(model_) - static_cast<int64_t>(prompt.tokens.size());
}

// Of a model whose heads share no keys; others take less.
int64_t Generator::slots_of(int64_t capacity) const {
  constexpr int64_t kBytesOfANumber = 4;
  const int64_t of_a_sequence =
      2 * model_.num_blocks() * model_.width() * kBytesOfANumber * std::max<int64_t>(capacity, 1);
  return std::clamp<int64_t>(settings_.bytes / of_a_sequence, 1, settings_.sequences);
}

// In float32 on the host, as transformers chooses from it.
at::Tensor Generator::logits_of(std::span<const NextTokens> batch, KeyValueCache& cache) {
  const Inputs inputs = decoding_inputs(batch, cache, settings_.device);
  return head_(stages_.forward(inputs, Mode::evaluation)).to(at::kCPU, at::kFloat).contiguous();
}

bool Generator::ends(int32_t token) const {
  return std::ranges::find(settings_.generate.eos_token_id, static_cast<double>(token)) !=
         settings_.generate.eos_token_id.end();
}

}  // namespace sft
