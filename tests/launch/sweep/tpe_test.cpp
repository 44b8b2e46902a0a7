#include "launch/sweep/tpe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/file_ops.h"
#include "launch/sweep/sweep_plan.h"

namespace sft {
namespace {

using nlohmann::json;

json golden() { return json::parse(read_file(SFT_GOLDEN)); }

std::vector<SearchAxis> axes_of(const json& golden) {
  return {{.choices = golden["batch"]},
          {.low = golden["dropout"][0], .high = golden["dropout"][1]},
          {.low = std::log(golden["rate"][0].get<double>()), .high = std::log(golden["rate"][1].get<double>())}};
}

std::vector<SearchPoint> places_of(const json& rows) {
  std::vector<SearchPoint> places;
  for (const json& row : rows)
    places.push_back({row[0].get<double>(), row[1].get<double>(), std::log(row[2].get<double>())});
  return places;
}

TEST(ParzenEstimator, HasTheDensitiesOfOptuna) {
  const json told = golden();
  for (const json& one : told["densities"]) {
    const ParzenEstimator estimator(axes_of(told), places_of(one["tried"]));
    const std::vector<SearchPoint> places = places_of(one["places"]);
    for (size_t i = 0; i < places.size(); ++i)
      EXPECT_NEAR(estimator.log_density(places[i]), one["log_densities"][i].get<double>(), 1e-8)
          << one["tried"].size() << " tried, place " << i;
  }
}

// Of many draws, the share in a part of the space is the density's integral over it.
TEST(ParzenEstimator, DrawsFromItsDensity) {
  const SearchAxis interval{.low = -2, .high = 3};
  const ParzenEstimator estimator({{.choices = 3}, interval}, {{1, -1.5}, {1, 0.5}, {2, 2.9}});
  Draws draws(7);
  constexpr int kDraws = 20'000, kParts = 50;
  std::vector<double> shares(6, 0), expected(6, 0);
  for (int i = 0; i < kDraws; ++i) {
    const SearchPoint place = estimator.draw(draws);
    ASSERT_TRUE(place[1] >= interval.low && place[1] <= interval.high);
    shares[static_cast<size_t>(place[0]) * 2 + (place[1] < 0.25 ? 0 : 1)] += 1.0 / kDraws;
  }
  for (size_t choice = 0; choice < 3; ++choice)
    for (size_t part = 0; part < 2 * kParts; ++part) {
      const double low = part < kParts ? -2 : 0.25, width = (part < kParts ? 2.25 : 2.75) / kParts;
      const double middle = low + width * (static_cast<double>(part % kParts) + 0.5);
      expected[choice * 2 + part / kParts] +=
          width * std::exp(estimator.log_density({static_cast<double>(choice), middle}));
    }
  EXPECT_NEAR(std::accumulate(expected.begin(), expected.end(), 0.0), 1, 1e-3);
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(shares[i], expected[i], 0.012) << i;
}

TEST(Tpe, SplitsTrialsAsOptuna) {
  const json told = golden();
  for (const json& one : told["splits"]) {
    std::vector<ObservedTrial> trials;
    for (const json& trial : one["trials"])
      trials.push_back(
          {.place = {},
           .state = trial["state"] == "pruned" ? ObservedTrial::State::pruned : ObservedTrial::State::finished,
           .value = trial["value"],
           .evaluations = trial["evaluations"]});
    EXPECT_EQ(good_trials(trials), one["good"].get<std::vector<size_t>>());
  }
}

TEST(Tpe, TakesNeitherFailedNorRunningTrialsForGoodOnes) {
  const std::vector<ObservedTrial> trials{{.place = {}, .state = ObservedTrial::State::failed},
                                          {.place = {}, .state = ObservedTrial::State::running},
                                          {.place = {}, .state = ObservedTrial::State::finished, .value = std::nan("")},
                                          {.place = {}, .state = ObservedTrial::State::finished, .value = 3}};
  EXPECT_EQ(good_trials(trials), std::vector<size_t>{3});
}

// A narrow valley: a rate that must be right within a third of a decade, the more so the higher the dropout.
double valley(const SearchPoint& place) {
  const double rate = (place[1] - std::log(3e-4)) / std::log(10.0);
  return rate * rate + std::pow(place[0] - 0.1 - 0.05 * rate, 2) * 10;
}

// Over 20 seeds, each with the same ten startup draws for both.
TEST(Tpe, BeatsRandomSearchOnAKnownFunction) {
  const std::vector<SearchAxis> axes{{.low = 0, .high = 0.5}, {.low = std::log(1e-6), .high = std::log(1e-1)}};
  constexpr size_t kTrials = 40, kStartup = 10;
  int wins = 0;
  double log_gain = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    double best_random = 1e9, best_tpe = 1e9;
    std::vector<ObservedTrial> seen;
    for (size_t i = 0; i < kTrials; ++i) {
      SearchPoint random;
      for (size_t axis = 0; axis < 2; ++axis)
        random.push_back(axes[axis].low +
                         uniform_of(seed, axis == 0 ? "dropout" : "rate", i) * (axes[axis].high - axes[axis].low));
      best_random = std::min(best_random, valley(random));
      const SearchPoint place = i < kStartup ? random : propose(axes, seen, seed * 1000 + i);
      seen.push_back(
          {.place = place, .state = ObservedTrial::State::finished, .value = valley(place), .evaluations = 1});
      best_tpe = std::min(best_tpe, valley(place));
    }
    wins += best_tpe < best_random ? 1 : 0;
    log_gain += std::log10(best_random / best_tpe) / 20;
  }
  EXPECT_GE(wins, 17);  // by luck, with a fair coin: 1 in 776
  EXPECT_GE(log_gain, 0.5);
}

}  // namespace
}  // namespace sft
