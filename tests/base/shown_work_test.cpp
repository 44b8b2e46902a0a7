#include "base/shown_work.h"

#include <gtest/gtest.h>

#include <vector>

namespace sft {
namespace {

class WorkTest : public testing::Test {
 protected:
  void SetUp() override {
    set_work_viewer({.show = [this](const WorkDone& work) { seen_.push_back(work); }, .end = [this] { ++ends_; }});
  }
  void TearDown() override { set_work_viewer({}); }

  std::vector<WorkDone> seen_;
  int ends_ = 0;
};

TEST_F(WorkTest, ShowsForAllRanksHowFarThisOneIs) {
  {
    ShownWork work("evaluated", "samples", 4000, 1000);
    work.add(250);
    work.add(750);
    EXPECT_EQ(ends_, 0);
  }
  ASSERT_EQ(seen_.size(), 2U);
  EXPECT_EQ(seen_[0].name, "evaluated");
  EXPECT_EQ(seen_[0].unit, "samples");
  EXPECT_EQ(seen_[0].done, 1000);
  EXPECT_EQ(seen_[1].done, 4000);
  EXPECT_EQ(seen_[1].total, 4000);
  EXPECT_EQ(ends_, 1);
}

TEST_F(WorkTest, NeverShowsMoreThanThereIs) {
  ShownWork more("saved", "bytes", 100, 50);
  more.add(60);
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].done, 100);
  ShownWork nothing("saved", "bytes", 100, 0);
  nothing.add(10);
  EXPECT_EQ(seen_.size(), 1U);
}

TEST_F(WorkTest, IsNotSeenWhereNobodyLooks) {
  set_work_viewer({});
  ShownWork work("evaluated", "samples", 2, 2);
  work.add(1);
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace sft
