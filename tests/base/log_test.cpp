#include "base/log.h"

#include <gtest/gtest.h>

namespace sft {
namespace {

// What `speak` writes to standard error as this rank.
template <class Speak>
std::string said_by(int rank, Speak speak) {
  log::start(rank, 4);
  testing::internal::CaptureStderr();
  speak();
  log::start(0, 1);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, RankZeroSpeaksAndTheOthersOnlyWarn) {
  const auto all = [] {
    log::info("loaded");
    log::warn("slow");
    log::error("gone");
  };
  EXPECT_EQ(said_by(0, all), "[sft-dist] loaded\n[sft-dist] warning: slow\n[sft-dist] error: gone\n");
  EXPECT_EQ(said_by(3, all), "[sft-dist] rank 3: warning: slow\n[sft-dist] rank 3: error: gone\n");
}

TEST(Log, WarnsOnceAMessageAndOnRankZeroAlone) {
  const auto twice = [] {
    log::warn_once("no effect");
    log::warn_once("no effect");
    log::warn_once("another");
  };
  EXPECT_EQ(said_by(1, twice), "");
  EXPECT_EQ(said_by(0, twice), "[sft-dist] warning: no effect\n[sft-dist] warning: another\n");
  EXPECT_EQ(said_by(0, twice), "");
}

TEST(Log, LetsNoMessageDriveTheTerminalOrBeAFormat) {
  EXPECT_EQ(said_by(0, [] { log::info("label \x1b[2J\r\n\tnext {} %s"); }),
            "[sft-dist] label \\x1b[2J\\r\n\tnext {} %s\n");
}

}  // namespace
}  // namespace sft
