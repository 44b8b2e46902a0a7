#include "data/readers/window.h"

#include <array>

namespace sft {
namespace {
constexpr size_t kBlock = 1 << 18;
constexpr std::string_view kMark = "\xEF\xBB\xBF";
}  // namespace

FileWindow::FileWindow(const std::string& path, int64_t begin) : file_(path), position_(begin) {
  if (!is_compressed(path)) return;
  content_.emplace(path);
  std::string passed;  // what stands before can only be read
  for (int64_t left = begin; left > 0; left -= static_cast<int64_t>(passed.size())) {
    passed.resize(std::min(kBlock, static_cast<size_t>(left)));
    if (content_->read(passed.data(), passed.size()) < passed.size()) return;
  }
}

bool FileWindow::more() {
  buffer_.erase(0, front_);
  front_ = 0;
  const size_t held = buffer_.size();
  // Half as much again for a long row, so that its bytes are not moved once a block.
  const size_t wanted = std::max(kBlock, held / 2);
  buffer_.resize(held + wanted);
  const size_t count = content_ ? content_->read(buffer_.data() + held, wanted)
                                : file_.read(buffer_.data() + held, wanted, position_ + static_cast<int64_t>(held));
  buffer_.resize(held + count);
  return count > 0;
}

void FileWindow::consume(size_t count) {
  front_ += count;
  position_ += static_cast<int64_t>(count);
}

size_t FileWindow::byte_order_mark() {
  while (bytes().size() < kMark.size() && more()) {
  }
  return bytes().starts_with(kMark) ? kMark.size() : 0;
}

int64_t byte_order_mark(const InputFile& file) {
  std::array<char, 3> start;
  const bool whole = file.read(start.data(), start.size(), 0) == start.size();
  return whole && std::string_view(start.data(), start.size()) == kMark ? 3 : 0;
}

}  // namespace sft
