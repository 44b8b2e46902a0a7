// File operations that go wrong where a test wants it: an error, the death of the process, a power cut.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_ops.h"

namespace sft {

// Ends a simulated process. No std::exception, so no handler of the program can mistake it for an error.
struct Crash {};

enum class Fault {
  fails_once,    // the Nth operation is an error, all others work
  fails_onward,  // the Nth and all after it are errors, as on a full disk
  dies,          // the process is gone in the middle of the Nth; what it did before stays
};

// Shared by all ranks of a world. `nth` counts from 1 over all their operations.
class FaultFiles : public FileOps {
 public:
  FaultFiles(int64_t nth, Fault fault, FileOps& below = real_files()) : nth_(nth), fault_(fault), below_(below) {}

  int create(const std::string& path, int64_t expected_bytes = 0) override;
  void write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) override;
  void sync(int descriptor, const std::string& path) override;
  void close(int descriptor, const std::string& path) override;
  void sync_directory(const std::string& path) override;
  void make_directory(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove_all(const std::string& path) override;
  int64_t free_bytes(const std::string& path) override;

  // What the fault struck; "" while it has struck nothing.
  std::string struck() const;

 private:
  void pass(std::string_view operation, const std::string& path);

  const int64_t nth_;
  const Fault fault_;
  FileOps& below_;
  mutable std::mutex mutex_;
  int64_t passed_ = 0;
  std::string struck_;
};

// Remembers what no sync has covered, so that a power cut can take it away.
class VolatileFiles : public FileOps {
 public:
  int create(const std::string& path, int64_t expected_bytes = 0) override;
  void write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) override;
  void sync(int descriptor, const std::string& path) override;
  void sync_directory(const std::string& path) override;
  void make_directory(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove_all(const std::string& path) override;

  // What a disk may lose: the data of files that were not synced, and with `names_too` every new name
  // and every rename whose directory was not.
  void cut_power(bool names_too);

 private:
  struct Pending {
    std::string directory;  // whose sync makes it last
    std::string from;       // "" for a new name
    std::string to;
  };
  void move_records(const std::string& from, const std::string& to);

  std::mutex mutex_;
  std::set<std::string> unsynced_;  // files
  std::vector<Pending> pending_;    // oldest first
};

}  // namespace sft
