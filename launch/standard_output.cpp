#include "launch/standard_output.h"

#include <cstdio>
#include <iostream>

#include "base/errors.h"

namespace sft {

void flush_standard_output() {
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  if (!std::cout.good() || !flushed || std::ferror(stdout) != 0)
    throw StorageError("standard output could not be written to its end: the disk is full, or the reader is gone");
}

}  // namespace sft
