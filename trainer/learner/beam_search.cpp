#include "trainer/learner/beam_search.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>

#include "trainer/learner/logits_processors.h"

namespace sft {
namespace {

constexpr float kUnlikely = -1e9F;  // transformers' score of what is not to be taken

float by_length(float score, int64_t length, double penalty) {
  return score / static_cast<float>(std::pow(static_cast<double>(length), penalty));
}

}  // namespace

// All beams but the first are unlikely, so that the first step takes them from the likeliest tokens.
BeamSearch::BeamSearch(SearchStart start, const GenerateConfig& config) : start_(std::move(start)), config_(config) {
  for (const int64_t slot : start_.slots) beams_.push_back({start_.tokens, beams_.empty() ? 0 : kUnlikely, slot});
}

void BeamSearch::read_next(std::vector<NextTokens>& batch) const {
  if (num_new() == 0) return batch.push_back({beams_[0].slot, 0, start_.tokens});
  for (const Beam& beam : beams_)
    batch.push_back({beam.slot, static_cast<int64_t>(beam.tokens.size()) - 1, {beam.tokens.back()}});
}

void BeamSearch::choose(const at::Tensor& logits_RV, std::vector<SlotCopy>& copies) {
  const std::vector<Candidate> best = candidates(logits_RV);
  finish(best);
  over_ = std::ranges::all_of(best, &Candidate::ends);
  if (over_) return;
  go_on(best, copies);
  over_ = !can_become_better();
}

// Twice as many as beams at least, so that enough go on where some end.
std::vector<BeamSearch::Candidate> BeamSearch::candidates(const at::Tensor& logits_RV) const {
  const auto n = static_cast<int64_t>(beams_.size()), num_words = logits_RV.size(1);
  const at::Tensor scores_nV = at::log_softmax(logits_RV, -1).expand({n, num_words}).contiguous();
  for (int64_t b = 0; b < n; ++b) {
    const Beam& beam = beams_[static_cast<size_t>(b)];
    const at::Tensor scores_V = scores_nV[b];
    process({scores_V.data_ptr<float>(), static_cast<size_t>(num_words)}, {beam.tokens, num_new(), start_.most_new},
            config_);
    if (config_.renormalize_logits) scores_V.copy_(at::log_softmax(scores_V, -1));
    scores_V.add_(beam.score);
  }
  const auto num_ends = static_cast<int64_t>(config_.eos_token_id.size());
  const auto [scores_K, words_K] =
      at::topk(scores_nV.view(-1), std::min(std::max<int64_t>(2, 1 + num_ends) * n, n * num_words));
  const bool is_last = num_new() + 1 == start_.most_new;
  std::vector<Candidate> best;
  for (int64_t k = 0; k < scores_K.size(0); ++k) {
    const int64_t word = words_K.const_data_ptr<int64_t>()[k];
    const auto token = static_cast<int32_t>(word % num_words);
    best.push_back({.beam = static_cast<size_t>(word / num_words),
                    .token = token,
                    .score = scores_K.const_data_ptr<float>()[k],
                    .ends = is_last || has(config_.eos_token_id, token)});
  }
  return best;
}

// Only candidates among the first n may end.
void BeamSearch::finish(std::span<const Candidate> best) {
  for (const Candidate& candidate : best.first(beams_.size())) {
    const float score = by_length(candidate.score, num_new() + 1, config_.length_penalty);
    if (!candidate.ends || !(score > kUnlikely)) continue;
    Finished ended{answer_of(beams_[candidate.beam]), score, has(config_.eos_token_id, candidate.token)};
    if (!ended.stopped) ended.tokens.push_back(candidate.token);
    finished_.push_back(std::move(ended));
  }
  std::ranges::stable_sort(finished_, std::ranges::greater(), &Finished::score);
  if (finished_.size() > beams_.size()) finished_.resize(beams_.size());
}

void BeamSearch::go_on(std::vector<Candidate> best, std::vector<SlotCopy>& copies) {
  for (Candidate& candidate : best)
    if (candidate.ends) candidate.score += kUnlikely;
  std::ranges::stable_sort(best, std::ranges::greater(), &Candidate::score);
  best.resize(beams_.size());
  const bool is_first = num_new() == 0;  // all that was read is in the first slot
  std::vector<Beam> next;
  for (const Candidate& candidate : best) {
    const Beam& from = beams_[is_first ? 0 : candidate.beam];
    next.push_back({from.tokens, candidate.score, from.slot});
  }
  move_apart(next, copies);
  for (size_t b = 0; b < next.size(); ++b) next[b].tokens.push_back(best[b].token);
  beams_ = std::move(next);
}

// Of beams that go on from the same one, the first keeps its slot. The others take slots that nobody goes on from, and
// copy there what these did not have in common with it.
void BeamSearch::move_apart(std::vector<Beam>& next, std::vector<SlotCopy>& copies) const {
  const auto is_in = [](std::span<const Beam> beams, int64_t slot) {
    return std::ranges::find(beams, slot, &Beam::slot) != beams.end();
  };
  for (size_t b = 1; b < next.size(); ++b) {
    if (!is_in(std::span(next).first(b), next[b].slot)) continue;
    const Beam& spare = *std::ranges::find_if(beams_, [&](const Beam& beam) { return !is_in(next, beam.slot); });
    const auto in_common = std::ranges::mismatch(spare.tokens, next[b].tokens).in1 - spare.tokens.begin();
    copies.push_back({.from = next[b].slot,
                      .to = spare.slot,
                      .first = num_new() == 0 ? 0 : static_cast<int64_t>(in_common),
                      .end = static_cast<int64_t>(next[b].tokens.size())});
    next[b].slot = spare.slot;
  }
}

bool BeamSearch::can_become_better() const {
  if (finished_.size() < beams_.size()) return true;
  if (config_.early_stopping == "true") return false;
  const bool by_longest = config_.early_stopping == "never" && config_.length_penalty > 0;
  const int64_t length = by_longest ? start_.most_new : num_new();
  return by_length(beams_[0].score, length, config_.length_penalty) > finished_.back().score;
}

std::vector<int32_t> BeamSearch::answer_of(const Beam& beam) const {
  return {beam.tokens.begin() + static_cast<std::ptrdiff_t>(start_.tokens.size()), beam.tokens.end()};
}

// An answer that ended early may still win over all that go on.
std::span<const int32_t> BeamSearch::settled() const {
  if (!over_ || finished_.empty()) return {};
  return finished_.front().tokens;
}

Continuation BeamSearch::answer() const {
  if (finished_.empty()) return {answer_of(beams_.front()), false};
  return {finished_.front().tokens, finished_.front().stopped};
}

}  // namespace sft
