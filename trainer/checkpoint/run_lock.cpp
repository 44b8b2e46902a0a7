// The flock decides; the fence file is for what it cannot tell: who holds it, and file systems that have
// none or keep it to one node.
#include "trainer/checkpoint/run_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/process.h"
#include "base/text.h"
#include "trainer/checkpoint/new_file.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kName = ".lock";

std::string fence_path(const std::string& directory, int64_t number) {
  return concat(directory, "/", kName, ".", number);
}

std::string lock_path(const std::string& directory) { return concat(directory, "/", kName); }

// The highest fence in the directory; 0 where there is none.
int64_t newest_fence(const std::string& directory) {
  int64_t newest = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string prefix = concat(kName, ".");
    if (!name.starts_with(prefix)) continue;
    int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size()) newest = std::max(newest, number);
  }
  return newest;
}

// The last number stands in the lock file too, so that it grows although a fence goes with its holder.
int64_t last_number(int descriptor) {
  char digits[24] = {};
  int64_t number = 0;
  const ssize_t length = ::pread(descriptor, digits, sizeof digits - 1, 0);
  if (length > 0) std::from_chars(digits, digits + length, number);
  return number;
}

std::string job_id() {
  const char* id = std::getenv("SLURM_JOB_ID");
  return id == nullptr ? "" : id;
}

struct Holder {
  std::string host, job, since;
  int64_t pid = 0;
};

std::string describe_self() {
  const std::time_t now = std::time(nullptr);
  char since[32];
  std::tm parts{};
  std::strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S UTC", ::gmtime_r(&now, &parts));
  return nlohmann::ordered_json{{"host", host_name()}, {"pid", ::getpid()}, {"job", job_id()}, {"since", since}}
             .dump() +
         "\n";
}

// Who wrote the fence; empty fields where it is gone or was never finished.
Holder read_holder(const std::string& path) {
  Holder holder;
  try {
    const auto text = nlohmann::json::parse(read_file(path));
    holder = {text.value("host", ""), text.value("job", ""), text.value("since", ""), text.value("pid", int64_t{0})};
  } catch (const ConfigError&) {
  } catch (const nlohmann::json::exception&) {
  }
  return holder;
}

[[noreturn]] void refuse(const std::string& directory, const Holder& holder, const std::string& hint) {
  const std::string who =
      holder.host.empty()
          ? "another job"
          : concat("process ", holder.pid, " on host ", in_quotes(holder.host),
                   holder.job.empty() ? "" : concat(", job ", in_quotes(holder.job)), ", since ", holder.since);
  throw Error(ExitCode::run_locked,
              concat("the run directory ", in_quotes(directory, 400), " is in use by ", who, hint));
}

// For file systems without flock: the fence alone says whether its holder lives, as far as can be known from here.
bool certainly_dead(const Holder& holder) {
  if (!holder.job.empty() && holder.job == job_id()) return true;  // this job, requeued
  return holder.host == host_name() && ::kill(static_cast<pid_t>(holder.pid), 0) != 0 && errno == ESRCH;
}

}  // namespace

RunLock::RunLock(const std::string& directory) : directory_(directory) {
  real_files().make_directory(directory);
  const std::string path = lock_path(directory);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    throw StorageError(concat("cannot open ", in_quotes(path, 400), ": ", std::generic_category().message(errno)));
  try {
    const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    const int reason = errno;
    const int64_t newest = newest_fence(directory);
    const Holder holder = newest == 0 ? Holder{} : read_holder(fence_path(directory, newest));
    if (!locked && reason == EWOULDBLOCK) refuse(directory, holder, "");
    if (!locked && newest > 0 && !certainly_dead(holder))
      refuse(directory, holder, concat("; if it is gone, delete ", fence_path(directory, newest)));

    number_ = std::max(last_number(descriptor_), newest) + 1;
    raise_fence();
    const std::string number = concat(number_, "\n");
    real_files().write(descriptor_, number.data(), number.size(), 0, path);
    if (newest > 0) ::unlink(fence_path(directory, newest).c_str());
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

RunLock::~RunLock() {
  ::unlink(fence_path(directory_, number_).c_str());
  ::close(descriptor_);
}

// O_EXCL: of two that both hold a lock which does not reach the other's node, one gets the number.
void RunLock::raise_fence() const {
  const std::string path = fence_path(directory_, number_);
  try {
    write_new_file(real_files(), path, describe_self());
  } catch (const StorageError&) {
    const Holder holder = read_holder(path);
    if (!holder.host.empty()) refuse(directory_, holder, "");
    throw;
  }
}

void RunLock::require_held() const {
  struct stat held {
  }, there{};
  const bool is_gone = ::stat(lock_path(directory_).c_str(), &there) != 0 && (errno == ENOENT || errno == ENOTDIR);
  const bool known = ::fstat(descriptor_, &held) == 0;
  if (is_gone || (known && there.st_ino != 0 && (held.st_ino != there.st_ino || held.st_dev != there.st_dev)))
    throw Error(
        ExitCode::run_locked,
        concat("the run directory ", in_quotes(directory_, 400),
               " was removed, moved or replaced while the run was going: its lock and its log are no longer there"));
  if (const int64_t newest = std::max(newest_fence(directory_), last_number(descriptor_)); newest > number_)
    refuse(directory_, read_holder(fence_path(directory_, newest)), ", which took it from this one");
}

}  // namespace sft
