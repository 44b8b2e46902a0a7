#include "data/hdf5/room.h"

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace sft {

void need_room_for_a_file() {
  constexpr size_t kBytes = size_t{8} << 20;
  void* const room = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  ::munmap(room, kBytes);
}

}  // namespace sft
