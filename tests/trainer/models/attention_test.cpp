// The packed kernels against torch's own attention, and with dropout against the same composed of ATen's operators.
#include "trainer/models/blocks/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "trainer/models/attention_cases.h"
#include "trainer/models/attention_composed.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::all_rows;
using testing::Asked;
using testing::attend_by_torch;
using testing::attend_composed;
using testing::AttentionCase;
using testing::distance;
using testing::expect_derivative;
using testing::first_rows;
using testing::last_rows;
using testing::other_keys;
using testing::some_rows;

void expect_agreement(const AttentionCase& with,
                      at::Tensor (*reference)(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                              const Attention&),
                      double tolerance, const std::string& what) {
  const auto ours = with.run(attend), expected = with.run(reference);
  const char* const names[] = {"out", "dq", "dk", "dv", "d bias"};
  ASSERT_EQ(ours.size(), expected.size());
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_LT(distance(ours[i], expected[i]), tolerance) << what << names[i];
}

// Lengths on both sides of a vector, of a block of queries, and a lone token.
const std::vector<int64_t> kLengths{5, 1, 48, 31, 130, 49, 2};

struct Named {
  const char* name;
  Asked (*asked)(const std::vector<int64_t>& lengths);
};
constexpr Named kAsked[] = {
    {"all rows ", all_rows}, {"first rows ", first_rows}, {"last rows ", last_rows}, {"some rows ", some_rows}};

TEST(PackedAttention, IsTorchsForAnyRowsThatAskWithAnyMaskAndHeads) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat})
    for (const Named& rows : kAsked)
      for (const bool causal : {false, true})
        for (const int64_t window : {0, 1, 20})
          for (const int64_t key_heads : {6, 2}) {
            AttentionCase with(rows.asked(kLengths), {.heads = 6, .key_heads = key_heads, .width = 5, .type = type});
            with.attention.causal = causal;
            with.attention.window = window;
            expect_agreement(
                with, attend_by_torch, type == at::kDouble ? 1e-12 : 1e-5,
                concat(rows.name, causal ? "causal " : "", "window ", window, " key heads ", key_heads, " "));
          }
}

TEST(PackedAttention, IsTorchsForKeysOfOtherSequences) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const AttentionCase with(other_keys({5, 0, 48, 31, 1, 7}, {12, 9, 3, 130, 0, 17}),
                             {.heads = 4, .key_heads = 2, .width = 8, .type = type});
    expect_agreement(with, attend_by_torch, type == at::kDouble ? 1e-12 : 1e-5, "");
  }
}

TEST(PackedAttention, AddsABiasOfPlacesAndGivesItsGradient) {
  for (const Named& rows : kAsked)
    for (const bool causal : {false, true}) {
      AttentionCase with(rows.asked(kLengths), {.heads = 4, .key_heads = 2, .width = 6});
      with.attention.causal = causal;
      with.add_bias(140, 133);
      expect_agreement(with, attend_by_torch, 1e-12, concat(rows.name, causal ? "causal " : ""));
    }
}

TEST(PackedAttention, AddsABiasOfDistancesToProductsOfAnyScale) {
  for (const Named& rows : kAsked)
    for (const bool causal : {false, true})
      for (const double scale : {1.0, 0.3}) {
        AttentionCase with(rows.asked(kLengths), {.heads = 4, .key_heads = 2, .width = 6});
        with.attention.causal = causal;
        with.attention.scale = scale;
        with.add_bias_of_distances(130);
        expect_agreement(with, attend_by_torch, 1e-12, concat(rows.name, causal ? "causal " : "", scale, " "));
      }
}

TEST(PackedAttention, EqualsComposedAttentionAtAnyLengthWidthAndRate) {
  for (const double p : {0.0, 0.25}) {
    const auto compare = [&](const Asked& asked, int64_t heads, int64_t width) {
      expect_agreement(AttentionCase(asked, {.heads = heads, .key_heads = heads, .width = width, .p = p}),
                       attend_composed, 1e-12, "");
    };
    compare(all_rows({5, 1, 12, 31, 5}), 3, 8);
    compare(all_rows({33, 16, 17}), 2, 5);
    compare(all_rows({128, 129, 64}), 2, 32);
    compare(all_rows({200}), 1, 64);
    compare(first_rows({5, 1, 12, 31, 140}), 3, 20);
  }
}

// A mask of dropout is that of the query's place, whichever other rows ask.
TEST(PackedAttention, DropsByThePlaceOfAQuery) {
  for (const Named& rows : kAsked)
    for (const bool causal : {false, true})
      for (const int64_t window : {0, 9}) {
        AttentionCase with(rows.asked(kLengths), {.heads = 4, .key_heads = 2, .width = 8, .p = 0.3});
        with.attention.causal = causal;
        with.attention.window = window;
        expect_agreement(with, attend_composed, 1e-12, concat(rows.name, causal ? "causal " : "", window, " "));
      }
}

TEST(PackedAttention, InFloatIsWithinRoundingOfDouble) {
  for (const Named& rows : kAsked)
    expect_agreement(AttentionCase(rows.asked({82, 12, 1, 128}),
                                   {.heads = 4, .key_heads = 4, .width = 32, .p = 0.1, .type = at::kFloat}),
                     attend_composed, 2e-6, rows.name);
}

TEST(PackedAttention, GradientIsTheDerivative) {
  for (const Named& rows : kAsked) {
    AttentionCase with(rows.asked({7, 1, 18}), {.heads = 2, .key_heads = 1, .width = 6, .p = 0.3});
    with.attention.causal = true;
    with.add_bias(18, 18);
    expect_derivative([&] { return (attend(with.q, with.k, with.v, with.attention) * with.seen).sum(); },
                      {with.q, with.k, with.v, with.attention.bias});
  }
}

TEST(PackedAttention, OfRowsThatAskIsThatOfAllRowsThere) {
  for (const bool causal : {false, true}) {
    AttentionCase all(all_rows(kLengths), {.heads = 4, .key_heads = 4, .width = 8, .p = 0.2});
    AttentionCase some(some_rows(kLengths), {.heads = 4, .key_heads = 4, .width = 8, .p = 0.2});
    all.attention.causal = some.attention.causal = causal;
    const at::Tensor q = all.q.detach().index_select(0, some.rows);
    EXPECT_LT(distance(attend(q, all.k, all.v, some.attention).detach(),
                       attend(all.q, all.k, all.v, all.attention).detach().index_select(0, some.rows)),
              1e-14);
  }
}

// To the last bit, values and gradients, whatever lies beside a sequence.
TEST(PackedAttention, OfASequenceDoesNotDependOnWhatIsPackedBesideIt) {
  for (const bool causal : {false, true})
    for (const Named& rows : kAsked) {
      AttentionCase together(rows.asked(kLengths),
                             {.heads = 4, .key_heads = 2, .width = 20, .p = 0.2, .type = at::kFloat});
      together.attention.causal = causal;
      const auto expected = together.run(attend);
      for (size_t b = 0; b < kLengths.size(); ++b) {
        const AttentionCase alone(together, b);
        const auto got = alone.run(attend);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_TRUE(got[i].equal(together.part(expected[i], i, b))) << rows.name << causal << " " << b << " " << i;
      }
    }
}

// As rows that a cache keeps for later tokens: what stands there is nobody's, here what would spoil every sum.
TEST(PackedAttention, LeavesOutRowsBetweenTheKeysOfSequences) {
  AttentionCase with(last_rows(kLengths), {.heads = 4, .key_heads = 2, .width = 5});
  with.attention.causal = true;
  const at::Tensor expected = attend(with.q, with.k, with.v, with.attention).detach();
  constexpr int64_t kRoom = 150;
  const std::vector<int64_t>& keys = with.asked.keys;
  const int64_t count = static_cast<int64_t>(kLengths.size());
  at::Tensor k = at::full({count * kRoom, with.k.size(1)}, std::nan(""), at::kDouble), v = k.clone();
  std::vector<int64_t> begins, ends;
  for (int64_t b = 0; b < count; ++b) {
    const int64_t first = keys[static_cast<size_t>(b)], length = keys[static_cast<size_t>(b) + 1] - first;
    begins.push_back(b * kRoom);
    ends.push_back(b * kRoom + length);
    k.narrow(0, begins.back(), length).copy_(with.k.detach().narrow(0, first, length));
    v.narrow(0, begins.back(), length).copy_(with.v.detach().narrow(0, first, length));
  }
  begins.push_back(count * kRoom);
  Attention spread = with.attention;
  spread.keys = &begins;
  spread.key_ends = &ends;
  EXPECT_LT(distance(attend(with.q.detach(), k, v, spread), expected), 1e-14);
}

TEST(PackedAttention, LargeScoresOverflowNothing) {
  for (const bool causal : {false, true}) {
    AttentionCase with(all_rows({40, 3}), {.heads = 2, .key_heads = 2, .width = 16, .type = at::kFloat});
    with.attention.causal = causal;
    with.q.detach().mul_(1000);
    expect_agreement(with, attend_composed, 1e-3, "");
    for (const at::Tensor& value : with.run(attend)) EXPECT_TRUE(value.isfinite().all().item<bool>());
  }
}

TEST(PackedAttention, HasTheSameBitsOnAnyNumberOfThreads) {
  AttentionCase with(all_rows({30, 12, 55, 8, 8, 20}),
                     {.heads = 4, .key_heads = 2, .width = 16, .p = 0.2, .type = at::kFloat});
  with.add_bias(60, 60);
  at::set_num_threads(1);
  const auto one = with.run(attend);
  at::set_num_threads(3);
  const auto three = with.run(attend);
  at::set_num_threads(1);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

}  // namespace
}  // namespace sft
