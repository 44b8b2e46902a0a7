#pragma once

namespace sft {

// Before a file is created: std::bad_alloc where less memory is left than HDF5 takes for it. HDF5 1.10 itself would read
// through a null pointer (H5AC_create).
void need_room_for_a_file();

}  // namespace sft
