// Memory of the loopback devices. Its addresses are of pages that nobody can read or write, as those of a GPU are to
// its host; the bytes lie elsewhere, and work in a stream finds them by its place. It is poisoned where nothing has
// been written.
#pragma once

#include <cstddef>

namespace sft::test::loopback {

void* allocate(size_t bytes, int device);
void release(void* memory);

// Where the bytes of device memory lie; a place in host memory is its own.
void* bytes_at(void* place);
const void* bytes_at(const void* place);

void poison(void* memory, size_t bytes);

bool is_of_host(const void* place);
int device_of_memory(const void* memory);  // of memory that is not freed

// Whether work of `device` may touch the range, which is then in memory of it that is not freed; a fault where not.
bool is_of_device(const void* begin, size_t bytes, int device);

// The same for an end of a copy, which may also be in host memory.
bool can_be_copied(const void* begin, size_t bytes, int device);

}  // namespace sft::test::loopback
