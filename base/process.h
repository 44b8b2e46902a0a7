// What the system knows of this process, and what is asked of it once.
#pragma once

#include <cstdint>
#include <string>

namespace sft {

std::string host_name();
double seconds_since_exec();
int64_t peak_rss_bytes();

// What this process may have at most: the memory of the machine, or less where a limit of the address space
// (ulimit -v) or of a container says so.
int64_t memory_limit_bytes();

// What is free of the machine's memory, files that the kernel holds and would give up included (MemAvailable).
int64_t available_memory_bytes();

// What is freed stays with the process, for what it allocates next. glibc would hand large pieces back to the system
// and take them anew, and every update would fault on thousands of pages.
void keep_freed_memory();

}  // namespace sft
