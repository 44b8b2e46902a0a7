// A log that grows by whole records. It is for people to read: what cannot be written is told, and the run
// goes on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sft {

class RecordFile {
 public:
  // Opens `path` to append to, or makes it. StorageError where that cannot be done.
  explicit RecordFile(std::string path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  // Hands the record to the system at once. A part of one never stays: it is cut off again, the record is
  // lost, and a warning says so, once until writing works again.
  void append(std::string_view record);

 private:
  std::string path_;
  int descriptor_;
  int64_t size_ = 0;
  bool failing_ = false;
};

}  // namespace sft
