// A part of a file in memory, read only. Where a file is cut short, or its disk fails, while it is mapped, the system
// sends SIGBUS to whoever touches the page that is gone, and the process would end without a word. Here such a page
// reads as zeros and the file is remembered, for require_mapped_files_whole() to tell.
#pragma once

#include <signal.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace sft {

class MappedFile {
 public:
  // `bytes` > 0 bytes at `offset` of an open file that holds them; the descriptor may be closed afterwards. `name` is
  // what errors call it. DataError where the file cannot be mapped, an error of code 82 where memory is lacking.
  MappedFile(int descriptor, int64_t offset, int64_t bytes, std::string name);
  // All of a regular file, ConfigError where there is none; `data` is null where the file is empty.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  int64_t size() const { return size_; }
  // False where somebody has written to the file at this path since all of it was mapped: what is read may have
  // changed. One that was removed, or replaced by another, stays mapped as it was.
  bool is_unchanged() const;

 private:
  struct Watched;
  friend void require_mapped_files_whole();
  void map(int descriptor, int64_t offset);
  static Watched* watch(const void* begin, size_t bytes, const std::string& name);
  static void on_bus_error(int signal, siginfo_t* info, void* context);

  std::string name_;
  struct stat opened_ = {};
  int64_t size_ = 0;
  void* mapping_ = nullptr;
  size_t mapped_bytes_ = 0;
  const std::byte* data_ = nullptr;
  Watched* watched_ = nullptr;
};

// To be called after mapped bytes were read and before they are believed: DataError that names a mapped file of which a
// page was gone. One load where all is well. From any thread.
void require_mapped_files_whole();

}  // namespace sft
