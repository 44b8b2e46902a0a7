#include "launch/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "base/stop_request.h"

namespace sft {
namespace {

// Each in a process of its own: the request stays for good.
void exit_with_what_was_requested(std::initializer_list<int> sent) {
  signals::install();
  for (const int signal : sent) raise(signal);
  _exit(stop_requested());
}

using SignalsDeathTest = ::testing::TestWithParam<int>;

TEST_P(SignalsDeathTest, TheFirstIsARequest) {
  EXPECT_EXIT(exit_with_what_was_requested({GetParam()}), ::testing::ExitedWithCode(GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(All, SignalsDeathTest, ::testing::Values(SIGUSR1, SIGUSR2, SIGTERM, SIGINT),
                         [](const auto& instance) { return signals::name_of(instance.param); });

TEST(SignalsDeathTest, NothingIsRequestedAtFirst) {
  EXPECT_EXIT(exit_with_what_was_requested({}), ::testing::ExitedWithCode(0), "");
}

TEST(SignalsDeathTest, TheFirstOfSeveralRequestsIsKept) {
  EXPECT_EXIT(exit_with_what_was_requested({SIGUSR2, SIGUSR1, SIGUSR2}), ::testing::ExitedWithCode(SIGUSR2), "");
}

TEST(SignalsDeathTest, TermAfterARequestEndsAtOnce) {
  EXPECT_EXIT(exit_with_what_was_requested({SIGUSR2, SIGTERM}), ::testing::KilledBySignal(SIGTERM), "");
  EXPECT_EXIT(exit_with_what_was_requested({SIGTERM, SIGTERM}), ::testing::KilledBySignal(SIGTERM), "");
  EXPECT_EXIT(exit_with_what_was_requested({SIGINT, SIGINT}), ::testing::KilledBySignal(SIGINT), "");
}

TEST(Signals, HaveTheirNames) { EXPECT_EQ(signals::name_of(SIGUSR2), "SIGUSR2"); }

}  // namespace
}  // namespace sft
