// The choice of the next token: what transformers' processors leave, and draws by their probabilities.
#include "trainer/learner/next_token.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace sft {
namespace {

const std::vector<float> kLogits{1.0f, 3.0f, 2.0f, 2.5f, -1.0f, 0.0f};

int32_t chosen(std::vector<float> logits, const std::vector<int32_t>& before, const GenerateConfig& config,
               const TokenDraw& draw = {}) {
  return next_token(logits, {.before = before, .most_in_answer = 100}, config, draw);
}

// How often each token is drawn, of 20,000.
std::map<int32_t, double> shares(const GenerateConfig& config) {
  constexpr int kDraws = 20'000;
  std::map<int32_t, double> share;
  for (int row = 0; row < kDraws; ++row) share[chosen(kLogits, {}, config, {.seed = 5, .row = row})] += 1.0 / kDraws;
  return share;
}

void expect_softmax_of(const std::vector<int32_t>& kept, double temperature, const GenerateConfig& config) {
  const std::map<int32_t, double> found = shares(config);
  EXPECT_EQ(found.size(), kept.size());
  double sum = 0;
  for (const int32_t token : kept) sum += std::exp(kLogits[static_cast<size_t>(token)] / temperature);
  for (const int32_t token : kept) {
    const double expected = std::exp(kLogits[static_cast<size_t>(token)] / temperature) / sum;
    EXPECT_NEAR(found.contains(token) ? found.at(token) : 0.0, expected, 4 * std::sqrt(expected / 20'000)) << token;
  }
}

TEST(NextToken, IsTheLikeliestWhereNothingIsDrawn) { EXPECT_EQ(chosen(kLogits, {}, {}), 1); }

TEST(NextToken, IsDrawnByTheSoftmaxOverTheTemperature) {
  expect_softmax_of({0, 1, 2, 3, 4, 5}, 0.7, {.do_sample = true, .temperature = 0.7, .top_k = 0});
}

TEST(NextToken, IsDrawnAmongTheLikeliest) { expect_softmax_of({1, 2, 3}, 1.0, {.do_sample = true, .top_k = 3}); }

// Probabilities 0.46, 0.28, 0.17, 0.06, …: the first three have 0.906 together.
TEST(NextToken, IsDrawnAmongTheFewestThatHaveTheProbability) {
  expect_softmax_of({1, 2, 3}, 1.0, {.do_sample = true, .top_k = 0, .top_p = 0.9});
  expect_softmax_of({1}, 1.0, {.do_sample = true, .top_k = 0, .top_p = 0.01});
}

TEST(NextToken, IsPenalisedForHavingBeenThere) {
  EXPECT_EQ(chosen(kLogits, {1}, {.repetition_penalty = 1.3}), 3) << "3.0 / 1.3 is below 2.5";
  EXPECT_EQ(chosen({-1.0f, -1.2f}, {0, 0}, {.repetition_penalty = 1.3}), 1) << "below zero it is multiplied, and once";
}

TEST(NextToken, NeverEndsARunOfTokensTwice) {
  EXPECT_EQ(chosen(kLogits, {4, 1, 2, 4}, {.no_repeat_ngram_size = 2}), 3) << "4 1 was there";
  EXPECT_EQ(chosen(kLogits, {4, 1, 2, 5}, {.no_repeat_ngram_size = 2}), 1);
  EXPECT_EQ(chosen(kLogits, {1}, {.no_repeat_ngram_size = 1}), 3);
}

TEST(NextToken, IsNoBadWord) {
  EXPECT_EQ(chosen(kLogits, {2}, {.bad_words_ids = {{1}, {5, 3}}}), 3) << "5 does not stand before";
  EXPECT_EQ(chosen(kLogits, {5}, {.bad_words_ids = {{1}, {5, 3}}}), 2);
  EXPECT_EQ(chosen(kLogits, {5}, {.bad_words_ids = {{1}}, .eos_token_id = {1}}), 1) << "an end is no bad word";
}

TEST(NextToken, EndsNoAnswerThatIsTooShort) {
  const auto at = [](std::vector<int32_t> before, int64_t in_answer, const GenerateConfig& config) {
    std::vector<float> logits = kLogits;
    return next_token(logits, {before, in_answer, 5}, config, {});
  };
  const NumberList ends{1, 3};
  EXPECT_EQ(at({2, 4, 0}, 1, {.min_new_tokens = 2, .eos_token_id = ends}), 2);
  EXPECT_EQ(at({2, 4, 0}, 2, {.min_new_tokens = 2, .eos_token_id = ends}), 1);
  EXPECT_EQ(at({2, 4, 0}, 1, {.min_length = 4, .eos_token_id = ends}), 2) << "prompt and answer together";
  EXPECT_EQ(at({2, 4, 0}, 1, {.min_length = 3, .eos_token_id = ends}), 1);
  EXPECT_EQ(at({2, 4, 0}, 2, {.min_length = 9, .min_new_tokens = 2, .eos_token_id = ends}), 1)
      << "transformers sets min_length to the prompt and min_new_tokens";
}

TEST(NextToken, IsForcedAtTheStartAndAtTheEnd) {
  const auto at = [](std::vector<int32_t> before, int64_t in_answer) {
    std::vector<float> logits = kLogits;
    const GenerateConfig config{.forced_bos_token_id = {4}, .forced_eos_token_id = {5}};
    return next_token(logits, {before, in_answer, 3}, config, {});
  };
  EXPECT_EQ(at({2}, 0), 4);
  EXPECT_EQ(at({2, 4}, 1), 1);
  EXPECT_EQ(at({2, 4, 1}, 2), 5);
}

TEST(NextToken, OfADrawFollowsFromSeedRowAndPlaceAlone) {
  const GenerateConfig config{.do_sample = true, .top_k = 0};
  int other_seed = 0, other_row = 0, other_place = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const int32_t token = chosen(kLogits, {}, config, {7, i, 3});
    EXPECT_EQ(token, chosen(kLogits, {2, 2}, config, {7, i, 3})) << "what stands before changes no draw";
    other_seed += token != chosen(kLogits, {}, config, {8, i, 3});
    other_row += token != chosen(kLogits, {}, config, {7, i + 1000, 3});
    other_place += token != chosen(kLogits, {}, config, {7, i, 4});
  }
  for (const int differ : {other_seed, other_row, other_place}) EXPECT_GT(differ, 60);
}

}  // namespace
}  // namespace sft
