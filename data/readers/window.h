// A window that slides over a file: consumed bytes leave at its front, more are read behind its end. Of a compressed
// file it is the content that is seen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/input_file.h"
#include "data/native/decompressed.h"

namespace sft {

// No row may be longer: it is what bounds a reader's memory.
inline constexpr int64_t kMostRowBytes = 64 << 20;

class FileWindow {
 public:
  FileWindow(const std::string& path, int64_t begin);

  const std::string& path() const { return file_.path(); }
  int64_t position() const { return position_; }  // in the content, of the window's first byte
  std::string_view bytes() const { return std::string_view(buffer_).substr(front_); }
  bool more();  // reads another block; false at the end of the file
  void consume(size_t count);
  size_t byte_order_mark();  // its size, of a window at the beginning: nothing was consumed

 private:
  InputFile file_;
  std::optional<Decompressed> content_;  // of a compressed file
  std::string buffer_;
  size_t front_ = 0;  // of the window in buffer_
  int64_t position_;
};

// The byte order mark that Windows programs write at the beginning of UTF-8: its size, 0 where there is none.
int64_t byte_order_mark(const InputFile& file);

// Calls `visit(string_view)` on the bytes begin … end of a file, block by block.
template <class Visit>
void for_each_block(const std::string& path, int64_t begin, int64_t end, const Visit& visit) {
  const InputFile file(path);
  std::string block(1 << 18, '\0');
  for (int64_t at = begin; at < end;) {
    const size_t wanted = std::min(block.size(), static_cast<size_t>(end - at));
    const size_t count = file.read(block.data(), wanted, at);
    if (count == 0) return;
    visit(std::string_view(block.data(), count));
    at += static_cast<int64_t>(count);
  }
}

}  // namespace sft
