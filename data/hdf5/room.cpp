#include "data/hdf5/room.h"

#include "base/room.h"

namespace sft {

void need_room_for_a_file() { require_room(size_t{8} << 20); }

}  // namespace sft
