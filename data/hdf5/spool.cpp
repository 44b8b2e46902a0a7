#include "data/hdf5/spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"

namespace sft {
namespace {

// An empty file that goes when it is closed, whatever happens.
Descriptor unnamed_file(const std::string& directory) {
  std::string name = directory + "/.spool.XXXXXX";
  Descriptor descriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (descriptor.get() < 0)
    throw StorageError(concat("cannot create ", in_quotes(name, 400), ": ", std::strerror(errno)));
  ::unlink(name.c_str());
  return descriptor;
}

}  // namespace

Spool::Spool(const std::string& directory, FileOps& files)
    : files_(files), name_(directory + "/.spool"), descriptor_(unnamed_file(directory)) {
  block_.reserve(format::kBlockBytes);
}

void Spool::append(const void* data, size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const size_t taken = std::min(size, static_cast<size_t>(format::kBlockBytes) - block_.size());
    block_.insert(block_.end(), bytes, bytes + taken);
    bytes += taken;
    size -= taken;
    if (block_.size() == static_cast<size_t>(format::kBlockBytes)) flush();
  }
}

void Spool::flush() {
  if (block_.empty()) return;
  checksums_.push_back(crc32c(block_.data(), block_.size()));
  files_.write(descriptor_.get(), block_.data(), block_.size(), written_, name_);
  written_ += static_cast<int64_t>(block_.size());
  block_.clear();
}

const std::vector<uint32_t>& Spool::finish() {
  flush();
  return checksums_;
}

void Spool::copy_to(int descriptor, int64_t offset, const std::string& path) const {
  std::vector<char> buffer(format::kBlockBytes);
  for (int64_t done = 0; done < written_;) {
    const auto wanted = static_cast<size_t>(std::min(format::kBlockBytes, written_ - done));
    const ssize_t got = ::pread(descriptor_.get(), buffer.data(), wanted, done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw StorageError(
          concat("cannot read back ", in_quotes(name_, 400), ": ", std::strerror(got < 0 ? errno : EIO)));
    files_.write(descriptor, buffer.data(), static_cast<size_t>(got), offset + done, path);
    done += got;
  }
}

}  // namespace sft
