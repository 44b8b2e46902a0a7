// Every write that must be durable goes through here, on raw system calls: stdio and ofstream hide
// failures. Each failure is a StorageError with path, operation and errno's text. `FileOps` is
// virtual so that tests can fail the Nth operation, shorten writes or drop what was not synced.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

class FileOps {
 public:
  virtual ~FileOps() = default;

  // A new file, O_EXCL | O_NOFOLLOW | O_CLOEXEC; it must not exist. `expected_bytes` > 0 reserves
  // the space, so that a full disk is noticed before anything is written. Returns a descriptor.
  virtual int create(const std::string& path, int64_t expected_bytes = 0);
  virtual void write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path);
  virtual void sync(int descriptor, const std::string& path);  // fdatasync
  virtual void close(int descriptor, const std::string& path);
  virtual void sync_directory(const std::string& path);
  virtual void make_directory(const std::string& path);  // its parents too
  virtual void rename(const std::string& from, const std::string& to);
  virtual void remove_all(const std::string& path);     // rename to trash happens before, by the caller
  virtual int64_t free_bytes(const std::string& path);  // statvfs, for this user
};

// The operations of the real system.
FileOps& real_files();

// Writes `content` to `path` by temporary file, sync, rename and sync of the directory: after a
// crash the path holds the old content or the new, never a part.
void write_atomically(FileOps& files, const std::string& path, std::string_view content);

// A descriptor for reading. ConfigError where the file is missing, unreadable or no regular file: a FIFO would keep its
// reader waiting, and a device never ends.
int open_regular_file(const std::string& path);

// Whole content of a regular file; ConfigError where it is missing or unreadable.
std::string read_file(const std::string& path);

}  // namespace sft
