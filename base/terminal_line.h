// The line at the bottom of a terminal that redraws itself, a progress bar. Who prints a whole line clears it first.
#pragma once

#include <functional>

namespace sft {

// Says how the line is taken away; called before each message of base/log.h. Empty: there is none.
void set_terminal_line(std::function<void()> clear);

void clear_terminal_line();

}  // namespace sft
