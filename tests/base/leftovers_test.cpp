// Whose leftovers may go.
#include "base/leftovers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/temporary_directory.h"

namespace sft {
namespace {

// The name that a process gave which is dead now.
std::string name_of_the_dead(const std::string& path) {
  std::string name = name_in_progress(path, "tmp");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return name.substr(0, name.rfind('-') + 1) + std::to_string(child);
}

TEST(Leftovers, GoWhereTheirMakerOfThisHostIsDead) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model");
  const std::string dead = name_of_the_dead(path), living = name_in_progress(path, "tmp");
  const std::string stays[] = {living, path + ".tmp-elsewhere-1", path + ".tmp-mine", name_of_the_dead(path + "s"),
                               dead + ".txt"};
  std::filesystem::create_directories(dead + "/inner");
  for (const std::string& name : stays) std::filesystem::create_directories(name);

  remove_leftovers(real_files(), path, "tmp");

  EXPECT_FALSE(std::filesystem::exists(dead));
  for (const std::string& name : stays) EXPECT_TRUE(std::filesystem::exists(name)) << name;
}

TEST(Leftovers, AreNoneWhereThereIsNoDirectory) { remove_leftovers(real_files(), "/nowhere/at/all", "tmp"); }

}  // namespace
}  // namespace sft
