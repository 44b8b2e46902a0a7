#include "base/progress.h"

#include <gtest/gtest.h>

#include <thread>

namespace sft {
namespace {

TEST(Progress, PhasesGiveBackTheOneBefore) {
  progress().set_phase("start");
  {
    const Phase outer("evaluation");
    {
      const Phase inner("a name that is too long");
      EXPECT_EQ(progress().phase_name(), "a name that is t");
    }
    EXPECT_EQ(progress().phase_name(), "evaluation");
  }
  EXPECT_EQ(progress().phase_name(), "start");
}

TEST(Progress, GoesOnInAnotherPlaceAndBack) {
  Progress place;
  progress().set_phase("save");
  progress().step = 7;
  const int64_t before = progress().beats;
  keep_progress_in(&place);
  beat();
  EXPECT_EQ(place.phase_name(), "save");
  EXPECT_EQ(place.step, 7);
  EXPECT_EQ(place.beats, before + 1);
  keep_progress_in(nullptr);
  beat();
  EXPECT_EQ(progress().beats, before + 2);
  EXPECT_EQ(place.beats, before + 1);
}

TEST(Progress, IsOfOneThread) {
  progress().step = 7;
  std::thread([] { EXPECT_EQ(progress().step, 0); }).join();
}

}  // namespace
}  // namespace sft
