// Beam search over a model that is a function of all that its slots hold: against every answer there is, and against
// slots that are filled as the search says.
#include "trainer/learner/beam_search.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/random.h"

namespace sft {
namespace {

constexpr int32_t kWords = 4, kEnd = 0;

std::vector<float> logits_after(const std::vector<int32_t>& tokens) {
  uint64_t key = 11;
  for (const int32_t token : tokens) key = derive_key(key, "token", static_cast<uint64_t>(token));
  std::vector<float> logits;
  for (uint64_t word = 0; word < kWords; ++word)
    logits.push_back(static_cast<float>(derive_key(key, "word", word) % 4000) / 1000);
  return logits;
}

// What a cache would hold, and the rows that the model gives for it.
class Slots {
 public:
  at::Tensor read(const std::vector<NextTokens>& batch) {
    const at::Tensor logits = at::empty({static_cast<int64_t>(batch.size()), kWords}, at::kFloat);
    float* out = logits.data_ptr<float>();
    for (const NextTokens& next : batch) {
      std::vector<int32_t>& slot = slots_[next.slot];
      EXPECT_GE(static_cast<int64_t>(slot.size()), next.kept);
      slot.resize(static_cast<size_t>(next.kept));
      slot.insert(slot.end(), next.tokens.begin(), next.tokens.end());
      out = std::ranges::copy(logits_after(slot), out).out;
    }
    return logits;
  }

  void copy(const std::vector<SlotCopy>& copies) {
    for (const SlotCopy& one : copies) {
      std::vector<int32_t>& to = slots_[one.to];
      const std::vector<int32_t>& from = slots_[one.from];
      to.resize(static_cast<size_t>(one.end), -1);
      std::copy(from.begin() + one.first, from.begin() + one.end, to.begin() + one.first);
      num_rows += one.end - one.first;
    }
  }

  int64_t num_rows = 0;  // that were copied

 private:
  std::map<int64_t, std::vector<int32_t>> slots_;
};

Continuation searched(const std::vector<int32_t>& prompt, int64_t most_new, const GenerateConfig& config,
                      Slots& slots) {
  SearchStart start{.tokens = prompt, .most_new = most_new};
  for (int64_t slot = 0; slot < config.num_beams; ++slot) start.slots.push_back(20 + slot);
  BeamSearch search(std::move(start), config);
  while (!search.is_over()) {
    std::vector<NextTokens> batch;
    search.read_next(batch);
    std::vector<SlotCopy> copies;
    search.choose(slots.read(batch), copies);
    slots.copy(copies);
  }
  return search.answer();
}

struct Best {
  double score = -1e30;
  Continuation answer;
};

// Goes on from `all` in every way.
void try_all(std::vector<int32_t> all, double score, std::vector<int32_t> said, int64_t most_new, double penalty,
             Best& best) {
  const std::vector<float> logits = logits_after(all);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit});
  for (int32_t word = 0; word < kWords; ++word) {
    const double total = score + double{logits[static_cast<size_t>(word)]} - std::log(sum);
    std::vector<int32_t> longer = said;
    if (word != kEnd) longer.push_back(word);
    const auto length = static_cast<int64_t>(said.size()) + 1;
    if (word == kEnd || length == most_new) {
      const double by_length = total / std::pow(static_cast<double>(length), penalty);
      if (by_length > best.score) best = {by_length, {longer, word == kEnd}};
    } else {
      std::vector<int32_t> next = all;
      next.push_back(word);
      try_all(next, total, longer, most_new, penalty, best);
    }
  }
}

TEST(BeamSearch, FindsTheBestAnswerOfAllWhereItIsWideEnough) {
  for (const double penalty : {1.0, 0.0, 2.5, -1.0})
    for (int32_t first = 1; first < 9; ++first) {
      Best best;
      try_all({first, 2}, 0, {}, 4, penalty, best);
      Slots slots;
      const Continuation found = searched({first, 2}, 4,
                                          {.num_beams = kWords * kWords * kWords,
                                           .length_penalty = penalty,
                                           .early_stopping = "never",
                                           .eos_token_id = {kEnd}},
                                          slots);
      EXPECT_EQ(found.tokens, best.answer.tokens) << first << ", " << penalty;
      EXPECT_EQ(found.stopped, best.answer.stopped);
    }
}

// Slots are read by what they hold: an answer would be another one if a beam found the rows of another beam in its own.
TEST(BeamSearch, CopiesNoRowThatASlotHasAlready) {
  Slots slots;
  const std::vector<int32_t> prompt(100, 3);
  searched(prompt, 30, {.num_beams = 4, .early_stopping = "never"}, slots);
  EXPECT_GE(slots.num_rows, 300) << "the prompt, once for each other beam";
  EXPECT_LT(slots.num_rows, 300 + 30 * 3 * 8) << "few rows of the answers";
}

}  // namespace
}  // namespace sft
