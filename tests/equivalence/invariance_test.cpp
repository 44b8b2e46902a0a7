// N1: the number of ranks, the micro-batch and accumulation change the speed and nothing else. Ragged
// lengths, more ranks than rows in the last window, class and sample weights, smoothing, decay, frozen parts, a clip
// that bites at every update, and dropout on, attention dropout too.
//
// Seen to fail with the loss divided by the local weight, with the mean over ranks instead of the sum, and with
// dropout keyed by the row in the batch instead of the draw.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "equivalence/variants.h"

namespace sft::equivalence {
namespace {

double worst(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i])));
  return most;
}

class Invariance : public testing::TestWithParam<Case> {};
class SameBits : public testing::TestWithParam<Case> {};

TEST_P(Invariance, LossesNormsWeightsAndMetricsDoNotDependOnTheCut) {
  const Case job = GetParam();
  const Outcome expected = run(job, {1, 0});
  ASSERT_EQ(expected.losses.size(), static_cast<size_t>(job.updates));
  for (const Cut& cut : {Cut{1, 2}, Cut{2, 0}, Cut{2, 2}, Cut{3, 1}, Cut{4, 0}}) {
    SCOPED_TRACE(testing::PrintToString(cut));
    const Outcome actual = run(job, cut);
    EXPECT_EQ(actual.ids, expected.ids);
    EXPECT_LE(worst(actual.losses, expected.losses), 1e-12);
    EXPECT_LE(worst(actual.norms, expected.norms), 1e-12);
    EXPECT_LE(worst(actual.evaluation, expected.evaluation), 1e-12);
    ASSERT_EQ(actual.weights.size(), expected.weights.size());
    for (size_t i = 0; i < expected.weights.size(); ++i)
      EXPECT_LE(worst(actual.weights[i].second, expected.weights[i].second), 1e-12) << expected.weights[i].first;
  }
}

// `deterministic = true`: parts of a batch and ranks are added as one tree.
TEST_P(SameBits, OnOneTwoFourAndEightRanks) {
  Case job = GetParam();
  job.in_double = false;
  job.updates = 7;  // the batches of an epoch, the short one too, and the first of the next
  const Outcome one = run(job, {1, 0, 8});
  for (const int ranks : {1, 2, 4, 8}) {
    const Outcome other = run(job, {ranks, 0, 8});
    EXPECT_EQ(other.ids, one.ids);
    EXPECT_EQ(other.losses, one.losses) << ranks << " ranks";
    EXPECT_EQ(other.norms, one.norms) << ranks << " ranks";
    EXPECT_EQ(other.evaluation, one.evaluation) << ranks << " ranks";
    for (size_t i = 0; i < one.weights.size(); ++i)
      EXPECT_EQ(other.weights[i].second, one.weights[i].second) << one.weights[i].first << ", " << ranks << " ranks";
  }
}

std::string name_of(const testing::TestParamInfo<Case>& enrolled) { return enrolled.param.name; }
INSTANTIATE_TEST_SUITE_P(AllCases, Invariance, testing::ValuesIn(cases()), name_of);

// deterministic = true is refused where a norm sees how a batch is cut.
std::vector<Case> cases_of_any_cut() {
  std::vector<Case> chosen;
  for (const Case& job : cases())
    if (job.micro_batches_are_free) chosen.push_back(job);
  return chosen;
}
INSTANTIATE_TEST_SUITE_P(AllCases, SameBits, testing::ValuesIn(cases_of_any_cut()), name_of);

}  // namespace
}  // namespace sft::equivalence
