#include "data/readers/window.h"

#include <array>
#include <cstring>

namespace sft {
namespace {
constexpr size_t kBlock = 1 << 18;
}

Window::Window(const std::string& path, int64_t begin) : file_(path), position_(begin) {}

bool Window::more() {
  buffer_.erase(0, front_);
  front_ = 0;
  const size_t held = buffer_.size();
  // Half as much again for a long row, so that its bytes are not moved once a block.
  const size_t wanted = std::max(kBlock, held / 2);
  buffer_.resize(held + wanted);
  const size_t count = file_.read(buffer_.data() + held, wanted, position_ + static_cast<int64_t>(held));
  buffer_.resize(held + count);
  return count > 0;
}

void Window::consume(size_t count) {
  front_ += count;
  position_ += static_cast<int64_t>(count);
}

int64_t byte_order_mark(const InputFile& file) {
  std::array<char, 3> start;
  const bool whole = file.read(start.data(), start.size(), 0) == start.size();
  return whole && std::memcmp(start.data(), "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

}  // namespace sft
