#include "base/timeline.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sft {
namespace {

using namespace std::chrono_literals;

TEST(Timeline, KeepsSpansInsideOneAnotherWhileTheyAreWanted) {
  { const timeline::Span before("before"); }
  timeline::start();
  const double begun = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  {
    const timeline::Span outer("outer");
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(timeline::spanned("inner", [] { return 7; }), 7);
    std::this_thread::sleep_for(2ms);
  }
  std::thread([] { const timeline::Span other("other thread"); }).join();
  const auto events = timeline::stop();
  { const timeline::Span after("after"); }

  ASSERT_EQ(events.size(), 3u);
  const auto &inner = events[0], &outer = events[1], &other = events[2];
  EXPECT_EQ(inner.name, "inner");
  EXPECT_EQ(outer.name, "outer");
  EXPECT_GE(outer.seconds, 0.004);
  EXPECT_GT(inner.begin, outer.begin + 1999);
  EXPECT_LT(inner.begin + 1e6 * inner.seconds, outer.begin + 1e6 * outer.seconds - 1999);
  EXPECT_NEAR(outer.begin / 1e6, begun, 0.5);
  EXPECT_EQ(inner.thread, outer.thread);
  EXPECT_NE(other.thread, outer.thread);
  EXPECT_TRUE(timeline::stop().empty());
}

TEST(Timeline, ASpanThatBeganBeforeItWasWantedIsNone) {
  {
    const timeline::Span early("early");
    timeline::start();
  }
  EXPECT_TRUE(timeline::stop().empty());
}

TEST(Timeline, DropsWhatIsTooMuch) {
  timeline::start(2);
  for (int i = 0; i < 3; ++i) const timeline::Span each("each");
  EXPECT_EQ(timeline::stop().size(), 2u);
}

}  // namespace
}  // namespace sft
