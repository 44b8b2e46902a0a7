// Two ways to be careless, as layers under the same writer. The harness must find out both of them,
// or it proves nothing about the careful one.
#pragma once

#include <filesystem>
#include <string>

#include "base/file_ops.h"

namespace sft {

// Passes everything on.
class LayeredFiles : public FileOps {
 public:
  explicit LayeredFiles(FileOps& below) : below_(below) {}
  int create(const std::string& path, int64_t expected_bytes = 0) override {
    return below_.create(path, expected_bytes);
  }
  void write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) override {
    below_.write(descriptor, data, size, offset, path);
  }
  void sync(int descriptor, const std::string& path) override { below_.sync(descriptor, path); }
  void close(int descriptor, const std::string& path) override { below_.close(descriptor, path); }
  void sync_directory(const std::string& path) override { below_.sync_directory(path); }
  void make_directory(const std::string& path) override { below_.make_directory(path); }
  void rename(const std::string& from, const std::string& to) override { below_.rename(from, to); }
  void remove_all(const std::string& path) override { below_.remove_all(path); }
  int64_t free_bytes(const std::string& path) override { return below_.free_bytes(path); }

 protected:
  FileOps& below_;
};

// Trusts the system to write things down some day.
class NeverSyncs final : public LayeredFiles {
 public:
  using LayeredFiles::LayeredFiles;
  void sync(int, const std::string&) override {}
  void sync_directory(const std::string&) override {}
};

// Writes under the final name from the start: the temporary directory is a link to it, and the rename only
// takes the link away.
class WritesInPlace final : public LayeredFiles {
 public:
  using LayeredFiles::LayeredFiles;

  void make_directory(const std::string& path) override {
    const size_t mark = path.find("/.tmp-");
    if (mark == path.npos) return below_.make_directory(path);
    const std::string final_name = path.substr(0, mark + 1) + path.substr(mark + 6, path.rfind('.') - mark - 6);
    below_.make_directory(final_name);
    std::filesystem::create_symlink(final_name, path);
  }
  void rename(const std::string& from, const std::string& to) override {
    if (to.find(".replaced-") != to.npos) return;
    if (from.find("/.tmp-") == from.npos) return below_.rename(from, to);
    below_.remove_all(from);
  }
};

}  // namespace sft
