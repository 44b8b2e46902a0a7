// Results go to standard output, and a result that did not arrive is a failure.
#pragma once

namespace sft {

// Hands on what is still held back. StorageError where any of what this process wrote to standard output was lost: a
// full disk, or a reader that is gone.
void flush_standard_output();

}  // namespace sft
