// A new file that is written once from front to back, with its checksum taken on the way.
#pragma once

#include <cstdint>
#include <string>

#include "base/file_ops.h"
#include "base/shown_work.h"

namespace sft {

class NewFile {
 public:
  // Creates `path`, which must not exist, with room for `expected_bytes`. Borrows `files`. Every failure is a
  // StorageError.
  NewFile(FileOps& files, std::string path, int64_t expected_bytes);
  // Without finish(): closes, and leaves what was written to whoever cleans up.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // `work`, unless null, is told of what is written.
  void append(const void* data, int64_t bytes, ShownWork* work = nullptr);

  // Syncs and closes, both checked; returns the crc32c of the whole file.
  uint32_t finish();

 private:
  FileOps& files_;
  std::string path_;
  int descriptor_;
  int64_t size_ = 0;
  uint32_t crc_ = 0;
};

// The whole of a new file at once; returns its crc32c.
uint32_t write_new_file(FileOps& files, const std::string& path, std::string_view content);

}  // namespace sft
