// A file open for reading at any offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sft {

class InputFile {
 public:
  explicit InputFile(const std::string& path);  // ConfigError where it is missing, unreadable or no file
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }  // when it was opened
  int descriptor() const { return descriptor_; }

  // Up to `size` bytes at `offset`; fewer only at the end of the file. DataError where reading fails.
  size_t read(char* out, size_t size, int64_t offset) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

}  // namespace sft
