#include "base/terminal_line.h"

#include <mutex>
#include <utility>

namespace sft {
namespace {

std::mutex line_mutex;
std::function<void()> clear_line;

}  // namespace

void set_terminal_line(std::function<void()> clear) {
  const std::lock_guard lock(line_mutex);
  clear_line = std::move(clear);
}

void clear_terminal_line() {
  const std::lock_guard lock(line_mutex);
  if (clear_line) clear_line();
}

}  // namespace sft
