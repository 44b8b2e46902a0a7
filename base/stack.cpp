#include "base/stack.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// RLIM_INFINITY is the largest number of its type.
rlimit stack_limit() noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_STACK, &limit) == 0 ? limit : rlimit{RLIM_INFINITY, RLIM_INFINITY};
}

constexpr auto kUsual = static_cast<rlim_t>(kUsualStackBytes);

// glibc's default is the limit when the program started, and less than usual where there was none.
void give_threads_room() noexcept {
  pthread_attr_t attributes;
  if (::pthread_getattr_default_np(&attributes) != 0) return;
  size_t bytes = 0;
  if (::pthread_attr_getstacksize(&attributes, &bytes) == 0 && bytes < kUsual &&
      ::pthread_attr_setstacksize(&attributes, kUsual) == 0)
    ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

}  // namespace

void make_room_on_stack() noexcept {
  give_threads_room();
  rlimit limit = stack_limit();
  if (limit.rlim_cur >= kUsual) return;
  // The hard limit too, which a privileged process may; the soft one alone where that is refused.
  const rlimit both{kUsual, std::max(limit.rlim_max, kUsual)};
  if (::setrlimit(RLIMIT_STACK, &both) != 0) {
    limit.rlim_cur = std::min(limit.rlim_max, kUsual);
    ::setrlimit(RLIMIT_STACK, &limit);
  }
}

void require_room_on_stack() {
  const rlim_t most = stack_limit().rlim_cur;
  if (most >= static_cast<rlim_t>(kLeastStackBytes)) return;
  throw Error(ExitCode::out_of_memory,
              concat("the stack of a process is limited to ", human_bytes(static_cast<double>(most)),
                     " here, which this program may not raise: it wants ",
                     human_bytes(static_cast<double>(kUsualStackBytes)), ", and ",
                     human_bytes(static_cast<double>(kLeastStackBytes)), " at least (ulimit -s 8192)"));
}

}  // namespace sft
