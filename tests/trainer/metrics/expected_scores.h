#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/metrics/confusion.h"

namespace sft {

// `wanted`: precision, recall and F1 of a reference.
inline void expect_scores(const ClassScores& found, const nlohmann::json& wanted, const std::string& what) {
  EXPECT_NEAR(found.precision, wanted[0].get<double>(), 1e-12) << what;
  EXPECT_NEAR(found.recall, wanted[1].get<double>(), 1e-12) << what;
  EXPECT_NEAR(found.f1, wanted[2].get<double>(), 1e-12) << what;
}

}  // namespace sft
