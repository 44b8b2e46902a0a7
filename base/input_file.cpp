#include "base/input_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"

namespace sft {

InputFile::InputFile(const std::string& path) : path_(path), descriptor_(open_regular_file(path)) {
  struct stat info {};
  ::fstat(descriptor_, &info);
  size_ = info.st_size;
}

InputFile::~InputFile() { ::close(descriptor_); }

size_t InputFile::read(char* out, size_t size, int64_t offset) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(descriptor_, out + done, size - done, offset + static_cast<int64_t>(done));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw DataError(concat(path_, ": reading at byte ", offset, " failed: ", std::strerror(errno)));
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace sft
