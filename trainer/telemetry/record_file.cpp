// Plain system calls: a stream would keep what it could not write and hide why.
#include "trainer/telemetry/record_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"

namespace sft {

RecordFile::RecordFile(std::string path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0)
    throw StorageError(concat("cannot open ", in_quotes(path_, 400), ": ", std::generic_category().message(errno)));
  size_ = ::lseek(descriptor_, 0, SEEK_END);
}

RecordFile::~RecordFile() { ::close(descriptor_); }

void RecordFile::append(std::string_view record) {
  std::string_view rest = record;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    rest.remove_prefix(static_cast<size_t>(written));
  }
  if (rest.empty()) {
    size_ += static_cast<int64_t>(record.size());
    failing_ = false;
    return;
  }
  const int reason = errno;
  if (!failing_)
    log::warn(concat("cannot write ", in_quotes(path_, 400), ": ", std::generic_category().message(reason),
                     "; what is logged now is lost"));
  failing_ = true;
  if (::ftruncate(descriptor_, size_) != 0) size_ += static_cast<int64_t>(record.size() - rest.size());
}

}  // namespace sft
