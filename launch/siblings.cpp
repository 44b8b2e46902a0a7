// proc(5): /proc/PID/task/TID/children lists the processes that a thread has started, environ holds what a process was
// started with, and field 3 of stat is its state.
#include "launch/siblings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

std::vector<int> children_of(int process) {
  std::vector<int> children;
  std::error_code gone;
  for (const auto& thread : fs::directory_iterator(concat("/proc/", process, "/task"), gone)) {
    std::ifstream list(thread.path() / "children");
    for (int child; list >> child;) children.push_back(child);
  }
  return children;
}

std::optional<int> rank_of(int process) {
  std::ifstream environment(concat("/proc/", process, "/environ"));
  for (std::string entry; std::getline(environment, entry, '\0');)
    for (const std::string_view name : {"OMPI_COMM_WORLD_RANK=", "PMIX_RANK=", "PMI_RANK="}) {
      int rank = 0;
      if (!entry.starts_with(name)) continue;
      if (std::from_chars(entry.data() + name.size(), entry.data() + entry.size(), rank).ec == std::errc()) return rank;
    }
  return std::nullopt;
}

bool is_stopped(int process) {
  std::ifstream file(concat("/proc/", process, "/stat"));
  std::string stat;
  std::getline(file, stat);
  const size_t name_end = stat.rfind(')');
  return name_end + 2 < stat.size() && (stat[name_end + 2] == 'T' || stat[name_end + 2] == 't');
}

}  // namespace

std::vector<Sibling> siblings() {
  std::vector<Sibling> found;
  for (const int process : children_of(::getppid()))
    if (const auto rank = rank_of(process)) found.push_back({*rank, is_stopped(process)});
  std::ranges::sort(found, {}, &Sibling::rank);
  return found;
}

}  // namespace sft
