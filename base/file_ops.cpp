#include "base/file_ops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "base/errors.h"
#include "base/leftovers.h"
#include "base/lfs_pointer.h"
#include "base/progress.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

std::string reason(int number) { return std::generic_category().message(number); }

[[noreturn]] void fail(const char* operation, const std::string& path, int number) {
  throw StorageError(concat("cannot ", operation, " ", in_quotes(path, 400), ": ", reason(number)));
}

// Calls again while a signal interrupts.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

int FileOps::create(const std::string& path, int64_t expected_bytes) {
  const int descriptor =
      uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666); });
  if (descriptor < 0) fail("create", path, errno);
  if (expected_bytes <= 0) return descriptor;
  // The size stays what has been written, so a reserved tail is never taken for content. A file
  // system that cannot reserve is no reason to fail.
  if (uninterrupted([&] { return ::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, expected_bytes); }) < 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS) {
    const int number = errno;
    ::close(descriptor);
    ::unlink(path.c_str());
    fail(concat("reserve ", human_bytes(static_cast<double>(expected_bytes)), " for").c_str(), path, number);
  }
  return descriptor;
}

void FileOps::write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) {
  constexpr size_t kMostBytes = size_t{1} << 30;  // Linux writes at most 2 GiB − 4096 a call
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    beat();
    const ssize_t written =
        uninterrupted([&] { return ::pwrite(descriptor, bytes, std::min(size, kMostBytes), offset); });
    if (written < 0) fail("write", path, errno);
    if (written == 0) fail("write", path, EIO);
    bytes += written;
    size -= static_cast<size_t>(written);
    offset += written;
  }
}

void FileOps::sync(int descriptor, const std::string& path) {
  if (uninterrupted([&] { return ::fdatasync(descriptor); }) < 0) fail("sync", path, errno);
}

void FileOps::close(int descriptor, const std::string& path) {
  // After EINTR Linux has closed it all the same; a second close could hit another thread's file.
  if (::close(descriptor) < 0 && errno != EINTR) fail("close", path, errno);
}

void FileOps::sync_directory(const std::string& path) {
  const int descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) fail("open directory", path, errno);
  const int result = uninterrupted([&] { return ::fsync(descriptor); });
  const int number = errno;
  ::close(descriptor);
  if (result < 0) fail("sync directory", path, number);
}

void FileOps::make_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("make directory", path, error.value());
  if (!fs::is_directory(path, error)) fail("make directory", path, ENOTDIR);
}

void FileOps::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) < 0)
    throw StorageError(concat("cannot rename ", in_quotes(from, 400), " to ", in_quotes(to, 400), ": ", reason(errno)));
}

void FileOps::remove_all(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) fail("remove", path, error.value());
}

int64_t FileOps::free_bytes(const std::string& path) {
  struct statvfs status {};
  if (uninterrupted([&] { return ::statvfs(path.c_str(), &status); }) < 0) fail("read the free space of", path, errno);
  return static_cast<int64_t>(status.f_bavail * status.f_frsize);
}

FileOps& real_files() {
  static FileOps files;
  return files;
}

void write_atomically(FileOps& files, const std::string& path, std::string_view content) {
  static std::atomic<int> count{0};
  remove_leftovers(files, path, "tmp");
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::string temporary = name_in_progress(path, concat("tmp.", now, ".", count++));
  const int descriptor = files.create(temporary, static_cast<int64_t>(content.size()));
  bool open = true;
  try {
    files.write(descriptor, content.data(), content.size(), 0, temporary);
    files.sync(descriptor, temporary);
    open = false;
    files.close(descriptor, temporary);
    files.rename(temporary, path);
  } catch (...) {
    if (open) ::close(descriptor);
    ::unlink(temporary.c_str());
    throw;
  }
  files.sync_directory(parent_of(path));
}

int open_regular_file(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    throw ConfigError(concat("cannot read ", in_quotes(path, 400), ": ", why));
  };
  const int descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (descriptor < 0) refuse(reason(errno));
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    try {
      refuse_lfs_pointer(descriptor, path);
      return descriptor;
    } catch (const DataError&) {
      ::close(descriptor);
      throw;
    }
  }
  ::close(descriptor);
  refuse(S_ISDIR(status.st_mode) ? reason(EISDIR) : "Not a regular file");
  return -1;
}

std::string read_file(const std::string& path) {
  constexpr off_t kMostBytes = off_t{1} << 30;
  const auto refuse = [&](int number) {
    throw ConfigError(concat("cannot read ", in_quotes(path, 400), ": ", reason(number)));
  };
  const int descriptor = open_regular_file(path);
  std::string content;
  size_t filled = 0;
  if (struct stat status{}; ::fstat(descriptor, &status) == 0 && status.st_size > kMostBytes) {
    ::close(descriptor);
    throw DataError(concat(in_quotes(path, 400), " has ", human_bytes(static_cast<double>(status.st_size)),
                           "; a file that is read as a whole has at most ", human_bytes(kMostBytes)));
  }
  for (;;) {
    // One byte more than the size tells the end of a regular file without a second look.
    struct stat status {};
    const size_t left = ::fstat(descriptor, &status) == 0 && static_cast<size_t>(status.st_size) >= filled
                            ? static_cast<size_t>(status.st_size) - filled
                            : 0;
    content.resize(filled + std::max<size_t>(left + 1, 4096));
    const ssize_t got =
        uninterrupted([&] { return ::read(descriptor, content.data() + filled, content.size() - filled); });
    if (got < 0) {
      const int number = errno;
      ::close(descriptor);
      refuse(number);
    }
    filled += static_cast<size_t>(got);
    if (got == 0) break;
  }
  ::close(descriptor);
  content.resize(filled);
  return content;
}

}  // namespace sft
