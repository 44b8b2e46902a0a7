// The stack under a small `ulimit -s`. The kernel lets the main thread's grow up to the limit, and glibc gives each new
// thread as much as the limit was when the program started; 2 MiB where there was none.
#pragma once

#include <cstdint>

namespace sft {

inline constexpr int64_t kUsualStackBytes = int64_t{8} << 20;
inline constexpr int64_t kLeastStackBytes = int64_t{1} << 20;

// Raises a limit below kUsualStackBytes to that, or as far as the hard limit lets. Threads that start from now on have
// kUsualStackBytes at least: their stacks are mapped like other memory. Throws nothing, as it may run before main.
void make_room_on_stack() noexcept;

// Error with ExitCode::out_of_memory where the main thread's stack may not grow to kLeastStackBytes.
void require_room_on_stack();

}  // namespace sft
