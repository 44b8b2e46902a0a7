#include "base/process.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace sft {

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Field 22 of /proc/self/stat: the start, in clock ticks since boot (proc(5)). The name in field 2 may hold
// blanks and parentheses, so fields are counted from the last one of these.
double seconds_since_exec() {
  std::ifstream file("/proc/self/stat");
  const std::string stat((std::istreambuf_iterator<char>(file)), {});
  std::istringstream after_name(stat.substr(stat.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) after_name >> field;
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) -
         std::stod(field) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

namespace {

// Of a file of /proc whose lines are "name  kB"; 0 where it has none of that name.
int64_t bytes_told(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::stoll(line.substr(name.size())) * 1024;
  return 0;
}

}  // namespace

// getrusage() would tell that of the process which has started this one, where that was larger.
int64_t peak_rss_bytes() { return bytes_told("/proc/self/status", "VmHWM:"); }

int64_t available_memory_bytes() { return bytes_told("/proc/meminfo", "MemAvailable:"); }

int64_t memory_limit_bytes() {
  int64_t least = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  rlimit space{};
  if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
    least = std::min(least, static_cast<int64_t>(space.rlim_cur));
  int64_t of_container = 0;  // the file says "max" where there is no limit
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> of_container) least = std::min(least, of_container);
  return least;
}

void keep_freed_memory() {
  constexpr int kMostOfHeap = 32 << 20;  // glibc takes no more: larger pieces are always mapped by themselves
  ::mallopt(M_MMAP_THRESHOLD, kMostOfHeap);
  ::mallopt(M_TRIM_THRESHOLD, -1);
}

}  // namespace sft
