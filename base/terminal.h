// The terminal that shows what this process writes to standard error: its own, or that of the launcher which passes it
// on.
#pragma once

#include <cstddef>
#include <memory>

namespace sft {

class Terminal {
 public:
  // Null where there is none: a file, a pipe, or a launcher on another host.
  static std::unique_ptr<Terminal> of_standard_error();

  explicit Terminal(int file) : file_(file) {}
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Characters in a line, as wide as the window is now; 120 where the terminal does not say.
  size_t columns() const;

 private:
  int file_;  // owned; asked for its width, never written to
};

}  // namespace sft
