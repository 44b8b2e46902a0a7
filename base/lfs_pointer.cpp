#include "base/lfs_pointer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

void refuse_lfs_pointer(int descriptor, const std::string& path) {
  constexpr std::string_view kStart = "version https://git-lfs.github.com/spec/";
  constexpr off_t kMostBytes = 1024;  // of a pointer, by its specification
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || status.st_size > kMostBytes) return;
  char start[kStart.size()] = {};
  if (::pread(descriptor, start, sizeof start, 0) != sizeof start || std::string_view(start, sizeof start) != kStart)
    return;
  throw DataError(
      concat(in_quotes(path, 400), " is a Git LFS pointer, ", status.st_size,
             " bytes that name the file and are not it; `git lfs pull` in its clone fetches it, and so does "
             "`hf download ORGANISATION/NAME` of what the hub has"));
}

}  // namespace sft
