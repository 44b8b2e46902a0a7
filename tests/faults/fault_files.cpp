#include "faults/fault_files.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ranges>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

namespace fs = std::filesystem;

void FaultFiles::pass(std::string_view operation, const std::string& path) {
  const std::lock_guard lock(mutex_);
  ++passed_;
  if (passed_ < nth_ || (passed_ > nth_ && fault_ == Fault::fails_once)) return;
  if (struck_.empty()) struck_ = concat(operation, " ", path);
  if (fault_ == Fault::dies) throw Crash{};
  throw StorageError(concat("cannot ", operation, " ", path, ": injected"));
}

std::string FaultFiles::struck() const {
  const std::lock_guard lock(mutex_);
  return struck_;
}

int FaultFiles::create(const std::string& path, int64_t expected_bytes) {
  pass("create", path);
  return below_.create(path, expected_bytes);
}

// A write that fails has written half.
void FaultFiles::write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) {
  try {
    pass("write", path);
  } catch (...) {
    if (struck() == concat("write ", path)) below_.write(descriptor, data, size / 2, offset, path);
    throw;
  }
  below_.write(descriptor, data, size, offset, path);
}

void FaultFiles::sync(int descriptor, const std::string& path) {
  pass("sync", path);
  below_.sync(descriptor, path);
}

// A failing close closes all the same, as on Linux.
void FaultFiles::close(int descriptor, const std::string& path) {
  try {
    pass("close", path);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  below_.close(descriptor, path);
}

void FaultFiles::sync_directory(const std::string& path) {
  pass("sync directory", path);
  below_.sync_directory(path);
}

void FaultFiles::make_directory(const std::string& path) {
  pass("make directory", path);
  below_.make_directory(path);
}

void FaultFiles::rename(const std::string& from, const std::string& to) {
  pass("rename", from);
  below_.rename(from, to);
}

// A removal that fails has removed some.
void FaultFiles::remove_all(const std::string& path) {
  try {
    pass("remove", path);
  } catch (...) {
    std::error_code ignored;
    if (struck() == concat("remove ", path) && fs::is_directory(path, ignored))
      for (const auto& entry : fs::directory_iterator(path, ignored)) {
        fs::remove(entry.path(), ignored);
        break;
      }
    throw;
  }
  below_.remove_all(path);
}

int64_t FaultFiles::free_bytes(const std::string& path) {
  pass("read the free space of", path);
  return below_.free_bytes(path);
}

namespace {

std::string parent_of(const std::string& path) { return fs::path(path).parent_path().string(); }

bool is_within(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

}  // namespace

int VolatileFiles::create(const std::string& path, int64_t expected_bytes) {
  const int descriptor = FileOps::create(path, expected_bytes);
  const std::lock_guard lock(mutex_);
  pending_.push_back({parent_of(path), "", path});
  unsynced_.insert(path);
  return descriptor;
}

void VolatileFiles::write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) {
  FileOps::write(descriptor, data, size, offset, path);
  const std::lock_guard lock(mutex_);
  unsynced_.insert(path);
}

void VolatileFiles::sync(int descriptor, const std::string& path) {
  FileOps::sync(descriptor, path);
  const std::lock_guard lock(mutex_);
  unsynced_.erase(path);
}

void VolatileFiles::sync_directory(const std::string& path) {
  FileOps::sync_directory(path);
  const std::lock_guard lock(mutex_);
  std::erase_if(pending_, [&](const Pending& change) { return change.directory == path; });
}

void VolatileFiles::make_directory(const std::string& path) {
  const bool is_new = !fs::exists(path);
  FileOps::make_directory(path);
  const std::lock_guard lock(mutex_);
  if (is_new) pending_.push_back({parent_of(path), "", path});
}

void VolatileFiles::rename(const std::string& from, const std::string& to) {
  FileOps::rename(from, to);
  const std::lock_guard lock(mutex_);
  move_records(from, to);
  pending_.push_back({parent_of(to), from, to});
}

// What was removed under a name that never lasted comes back under its old one, empty.
void VolatileFiles::remove_all(const std::string& path) {
  FileOps::remove_all(path);
  const std::lock_guard lock(mutex_);
  std::erase_if(unsynced_, [&](const std::string& file) { return is_within(file, path); });
  std::erase_if(pending_, [&](const Pending& change) { return change.from.empty() && is_within(change.to, path); });
}

void VolatileFiles::move_records(const std::string& from, const std::string& to) {
  const auto moved = [&](const std::string& path) {
    return is_within(path, from) ? to + path.substr(from.size()) : path;
  };
  std::set<std::string> files;
  for (const std::string& file : unsynced_) files.insert(moved(file));
  unsynced_ = std::move(files);
  for (Pending& change : pending_) {
    // The new name of a thing that was itself renamed since: what is lost is the thing, wherever it stands.
    if (change.from.empty()) change.to = moved(change.to);
    if (change.directory != parent_of(from)) change.directory = moved(change.directory);
  }
}

void VolatileFiles::cut_power(bool names_too) {
  const std::lock_guard lock(mutex_);
  for (const std::string& file : unsynced_)
    if (fs::exists(file)) fs::resize_file(file, 0);
  if (names_too)
    for (const Pending& change : pending_ | std::views::reverse) {
      if (change.from.empty())
        fs::remove_all(change.to);
      else if (fs::exists(change.to))
        fs::rename(change.to, change.from);
      else
        fs::create_directories(change.from);
    }
  unsynced_.clear();
  pending_.clear();
}

}  // namespace sft
