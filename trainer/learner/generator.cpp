#include "trainer/learner/generator.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>

#include "trainer/learner/logits_processors.h"

namespace sft {
namespace {

constexpr int64_t kPromptTokens = 2048;  // of new prompts that are read at once

int64_t positions_of(const Model& model) { return model.text_limits()->max_positions; }

}  // namespace

Generator::Generator(Model& model, Head head, const GeneratorSettings& settings)
    : model_(model), stages_(model), head_(std::move(head)), settings_(settings) {
  require_built(settings_.generate, model_.text_limits()->vocab_size);
}

void Generator::run(std::span<const Prompt> prompts, const Done& done, const Heard& heard) {
  const at::NoGradGuard no_graph;
  const int64_t capacity = capacity_for(prompts), num_places = places_of(capacity, prompts.size());
  KeyValueCache cache(num_places * num_beams(), capacity);
  std::vector<int64_t> free_places(static_cast<size_t>(num_places));
  std::iota(free_places.rbegin(), free_places.rend(), 0);

  std::vector<Running> running;
  for (size_t waiting = 0; waiting < prompts.size() || !running.empty();) {
    for (int64_t tokens = 0; waiting < prompts.size() && !free_places.empty() && tokens < kPromptTokens; ++waiting) {
      if (most_new(prompts[waiting]) < 1) {
        done(waiting, {});
        continue;
      }
      running.push_back({waiting, free_places.back(), begun(prompts[waiting], free_places.back())});
      tokens += static_cast<int64_t>(prompts[waiting].tokens.size());
      free_places.pop_back();
    }
    step(running, cache);
    std::erase_if(running, [&](const Running& one) {
      const bool is_wanted = !heard || heard(one.prompt, one.search->settled());
      if (is_wanted && !one.search->is_over()) return false;
      done(one.prompt, one.search->answer());
      free_places.push_back(one.place);
      return true;
    });
  }
}

// One token more of each.
void Generator::step(std::span<const Running> running, KeyValueCache& cache) {
  if (running.empty()) return;
  std::vector<NextTokens> batch;
  std::vector<int64_t> ends;
  for (const Running& one : running) {
    one.search->read_next(batch);
    ends.push_back(static_cast<int64_t>(batch.size()));
  }
  const at::Tensor logits_RV = logits_of(batch, cache);
  std::vector<SlotCopy> copies;
  for (size_t i = 0; i < running.size(); ++i)
    running[i].search->choose(logits_RV.slice(0, i == 0 ? 0 : ends[i - 1], ends[i]), copies);
  cache.copy(copies);
}

std::unique_ptr<Search> Generator::begun(const Prompt& prompt, int64_t place) const {
  std::vector<int64_t> slots(static_cast<size_t>(num_beams()));
  std::iota(slots.begin(), slots.end(), place * num_beams());
  return make_search({.tokens = prompt.tokens,
                      .most_new = most_new(prompt),
                      .slots = std::move(slots),
                      .seed = settings_.seed,
                      .row = prompt.row},
                     settings_.generate);
}

int64_t Generator::most_new(const Prompt& prompt) const {
  const int64_t room = positions_of(model_) - static_cast<int64_t>(prompt.tokens.size());
  return std::min(room, settings_.generate.max_new_tokens);
}

int64_t Generator::capacity_for(std::span<const Prompt> prompts) const {
  int64_t longest = 1;
  for (const Prompt& prompt : prompts)
    longest = std::max(longest, static_cast<int64_t>(prompt.tokens.size()) + most_new(prompt));
  return longest;
}

// Of a model whose heads share no keys; others take less.
int64_t Generator::places_of(int64_t capacity, size_t num_prompts) const {
  constexpr int64_t kBytesOfANumber = 4;
  const int64_t of_a_sequence = 2 * model_.num_blocks() * model_.width() * kBytesOfANumber * capacity;
  const int64_t num_slots = std::min(settings_.bytes / of_a_sequence, settings_.sequences);
  return std::clamp<int64_t>(num_slots / num_beams(), 1, std::max<int64_t>(1, static_cast<int64_t>(num_prompts)));
}

// In float32 on the host, as transformers chooses from it.
at::Tensor Generator::logits_of(std::span<const NextTokens> batch, KeyValueCache& cache) {
  const Inputs inputs = decoding_inputs(batch, cache, settings_.device);
  return head_(stages_.forward(inputs, Mode::evaluation)).to(at::kCPU, at::kFloat).contiguous();
}

}  // namespace sft
