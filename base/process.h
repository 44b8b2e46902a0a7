// What the system knows of this process.
#pragma once

#include <cstdint>

namespace sft {

double seconds_since_exec();
int64_t peak_rss_bytes();

}  // namespace sft
