#include "launch/sweep/best_link.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/base/temporary_directory.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

TEST(BestLink, LeadsToTheModelAndGoesWhereThereIsNone) {
  const TemporaryDirectory directory;
  const fs::path link = directory.path("best");
  for (const char* model : {"first/model", "second/adapter"}) {
    fs::create_directories(directory.path(model));
    link_best(directory.path(), model);
    EXPECT_EQ(fs::read_symlink(link), model);
    EXPECT_TRUE(fs::equivalent(link, directory.path(model)));
  }
  link_best(directory.path(), "");
  EXPECT_FALSE(fs::is_symlink(link));
  EXPECT_TRUE(fs::is_directory(directory.path("second/adapter")));
  link_best(directory.path(), "");
}

TEST(BestLink, LeavesWhatIsNoLink) {
  const TemporaryDirectory directory;
  fs::create_directory(directory.path("best"));
  for (const char* model : {"first/model", ""}) {
    link_best(directory.path(), model);
    EXPECT_TRUE(fs::is_directory(fs::symlink_status(directory.path("best"))));
  }
}

}  // namespace
}  // namespace sft
