#include "base/log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

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

TEST(Log, QuietLeavesWarningsAndErrors) {
  const auto all = [] {
    log::detail("underneath");
    log::info("loaded");
    log::warn("slow");
    log::error("gone");
  };
  log::set_talk(log::Talk::quiet);
  EXPECT_EQ(said_by(0, all), "[sft-dist] warning: slow\n[sft-dist] error: gone\n");
  log::set_talk(log::Talk::detailed);
  EXPECT_EQ(said_by(0, all),
            "[sft-dist] underneath\n[sft-dist] loaded\n[sft-dist] warning: slow\n[sft-dist] error: gone\n");
  EXPECT_EQ(said_by(2, [] {
              log::detail("underneath");
              log::detail_of_each_rank("here");
            }),
            "[sft-dist] rank 2: here\n");
  log::set_talk(log::Talk::usual);
  EXPECT_EQ(said_by(0, [] { log::detail("underneath"); }), "");
}

TEST(Log, StampsLinesWithTheLocalTimeAsSlurmWritesIt) {
  setenv("TZ", "XYZ-3", 1);  // three hours ahead of UTC
  tzset();
  log::set_stamped(true);
  const std::time_t before = std::time(nullptr);
  const std::string line = said_by(0, [] { log::warn("slow"); });
  const std::time_t after = std::time(nullptr);
  log::set_stamped(false);
  unsetenv("TZ");
  tzset();
  std::tm parts{};
  const char* rest = strptime(line.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  ASSERT_NE(rest, nullptr) << line;
  EXPECT_STREQ(rest, " [sft-dist] warning: slow\n");
  const std::time_t told = timegm(&parts) - 3 * 3600;
  EXPECT_GE(told, before);
  EXPECT_LE(told, after);
  EXPECT_EQ(log::stamp(), "");
}

}  // namespace
}  // namespace sft
