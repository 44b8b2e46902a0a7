// Memory of the loopback devices: host memory that is known by its place, and poisoned where nothing has been written.
#pragma once

#include <cstddef>

namespace sft::test::loopback {

void* allocate(size_t bytes, int device);
void release(void* memory);

void poison(void* memory, size_t bytes);

bool is_of_host(const void* place);

// Whether work of `device` may touch the range, which is then in memory of it that is not freed; a fault where not.
bool is_of_device(const void* begin, size_t bytes, int device);

// The same for an end of a copy, which may also be in host memory.
bool can_be_copied(const void* begin, size_t bytes, int device);

}  // namespace sft::test::loopback
