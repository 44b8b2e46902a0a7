#pragma once

#include <cstddef>

namespace sft {

// std::bad_alloc where so many more bytes of memory are not to be had; nothing is kept of them. For what a library is
// about to take without looking whether it got it.
void require_room(size_t bytes);

}  // namespace sft
