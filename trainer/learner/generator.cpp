#include "trainer/learner/generator.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/errors.h"
#include "trainer/learner/logits_processors.h"

namespace sft {
namespace {

constexpr int64_t kPromptTokens = 2048;  // of new prompts that are read at once

int64_t positions_of(const Model& model) { return model.text_limits()->max_positions; }

}  // namespace

Generator::Generator(Model& model, Head head, const GeneratorSettings& settings)
    : model_(model), stages_(model), head_(std::move(head)), settings_(settings), pair_(model.pair()) {
  require_built(settings_.generate, pair_ ? pair_->target_vocab_size : model_.text_limits()->vocab_size);
}

void Generator::run(std::span<const Prompt> prompts, const Done& done, const Heard& heard) {
  const at::NoGradGuard no_graph;
  const PlaceSize size = size_for(prompts);
  const int64_t num_places = places_of(size, prompts.size());
  DecodingCache cache(num_places, size);
  std::vector<int64_t> free_places(static_cast<size_t>(num_places));
  std::iota(free_places.rbegin(), free_places.rend(), 0);

  std::vector<Running> running;
  for (size_t waiting = 0; waiting < prompts.size() || !running.empty();) {
    for (int64_t tokens = 0; waiting < prompts.size() && !free_places.empty() && tokens < kPromptTokens; ++waiting) {
      if (most_new(prompts[waiting]) < 1) {
        done(waiting, {});
        continue;
      }
      running.push_back({waiting, free_places.back(), begun(prompts[waiting], free_places.back(), cache)});
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
void Generator::step(std::span<const Running> running, DecodingCache& cache) {
  if (running.empty()) return;
  std::vector<NextTokens> batch;
  std::vector<int64_t> ends;
  for (const Running& one : running) {
    one.search->read_next(batch);
    ends.push_back(static_cast<int64_t>(batch.size()));
  }
  const at::Tensor logits_RV = logits_of(batch, cache);
  std::vector<std::vector<SlotCopy>> copies(running.size());  // searches know nothing of each other
  at::parallel_for(0, static_cast<int64_t>(running.size()), 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_graph;
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
      running[i].search->choose(logits_RV.slice(0, i == 0 ? 0 : ends[i - 1], ends[i]), copies[i]);
  });
  std::vector<SlotCopy> all;
  for (const std::vector<SlotCopy>& of_one : copies) all.insert(all.end(), of_one.begin(), of_one.end());
  cache.copy(all);
}

// A prompt is gone on with, or it is a source, and what is said begins with a token of its own.
std::unique_ptr<Search> Generator::begun(const Prompt& prompt, int64_t place, DecodingCache& cache) const {
  SearchStart start{.tokens = prompt.tokens,
                    .most_new = most_new(prompt),
                    .slots = cache.slots_of(place),
                    .seed = settings_.seed,
                    .row = prompt.row};
  if (pair_) {
    cache.read(std::exchange(start.tokens, {static_cast<int32_t>(pair_->start_id)}), place);
  }
  return make_search(std::move(start), settings_.generate);
}

int64_t Generator::start_size(const Prompt& prompt) const {
  return pair_ ? 1 : static_cast<int64_t>(prompt.tokens.size());
}

int64_t Generator::most_new(const Prompt& prompt) const {
  return std::min(positions_of(model_) - start_size(prompt), settings_.generate.max_new_tokens);
}

PlaceSize Generator::size_for(std::span<const Prompt> prompts) const {
  PlaceSize size{.num_beams = settings_.generate.num_beams};
  for (const Prompt& prompt : prompts) {
    if (most_new(prompt) < 1) continue;  // never read, and might be longer than all others
    size.sequence = std::max(size.sequence, start_size(prompt) + most_new(prompt));
    if (pair_) size.source = std::max(size.source, static_cast<int64_t>(prompt.tokens.size()));
  }
  return size;
}

int64_t Generator::places_of(const PlaceSize& size, size_t num_prompts) const {
  const int64_t by_bytes = settings_.bytes / size.bytes(model_), by_rows = settings_.sequences / size.num_beams;
  return std::clamp<int64_t>(std::min(by_bytes, by_rows), 1, std::max<int64_t>(1, static_cast<int64_t>(num_prompts)));
}

// In float32 on the host, as transformers chooses from it.
at::Tensor Generator::logits_of(std::span<const NextTokens> batch, DecodingCache& cache) {
  const Inputs inputs = cache.inputs(batch, settings_.device);
  const at::Tensor logits_RV = head_(stages_.forward(inputs, Mode::evaluation)).to(at::kCPU, at::kFloat).contiguous();
  if (!std::isfinite(logits_RV.max().item<float>()))
    throw Error(ExitCode::not_finite,
                "the logits of the next token are not finite (NaN or infinite), so there is no next token: are the "
                "model's weights those of its config.json, and does model.dtype hold its numbers?");
  return logits_RV;
}

}  // namespace sft
