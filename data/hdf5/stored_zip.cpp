// PKWARE's APPNOTE.TXT 6.3.3, §4.3: a directory at the end names the entries and where they begin.
#include "data/hdf5/stored_zip.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/errors.h"
#include "base/progress.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr int64_t kMostEntries = 1'000, kMostDirectoryBytes = 1 << 20;
constexpr int64_t kEndBytes = 22, kMostComment = 65'535, kCentralBytes = 46, kLocalBytes = 30;
constexpr uint32_t kEnd = 0x06054b50, kCentral = 0x02014b50, kLocal = 0x04034b50;
constexpr int64_t kBlock = 1 << 20;

uint32_t number(const std::string& bytes, int64_t at, int width) {
  uint32_t value = 0;
  for (int i = width - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(at + i)]);
  return value;
}

}  // namespace

// Reads the directory of the entries.
class StoredZip::Reader {
 public:
  explicit Reader(StoredZip& zip) : zip_(zip) {}

  void run() {
    const std::string end = last_record();
    const int64_t count = number(end, 10, 2), bytes = number(end, 12, 4), begin = number(end, 16, 4);
    if (number(end, 4, 2) != 0 || count > kMostEntries || bytes > kMostDirectoryBytes || begin + bytes > zip_.bytes_)
      zip_.refuse(concat("its directory of ", count, " entries and ", bytes, " bytes is not one that Keras writes"));
    const std::string directory = piece(begin, bytes);
    int64_t at = 0;
    for (int64_t i = 0; i < count; ++i) at = entry(directory, at);
  }

 private:
  std::string piece(int64_t offset, int64_t bytes) const {
    std::string text(static_cast<size_t>(bytes), '\0');
    zip_.read(offset, text.data(), bytes);
    return text;
  }

  std::string last_record() const {
    const int64_t room = std::min(zip_.bytes_, kEndBytes + kMostComment);
    const std::string tail = piece(zip_.bytes_ - room, room);
    for (int64_t at = room - kEndBytes; at >= 0; --at)
      if (number(tail, at, 4) == kEnd) return tail.substr(static_cast<size_t>(at), kEndBytes);
    zip_.refuse("it has no end of a zip file: it was cut short, or is no .keras file");
  }

  int64_t entry(const std::string& directory, int64_t at) {
    if (at + kCentralBytes > std::ssize(directory) || number(directory, at, 4) != kCentral)
      zip_.refuse("its directory is damaged");
    const int64_t name_bytes = number(directory, at + 28, 2);
    const int64_t next =
        at + kCentralBytes + name_bytes + number(directory, at + 30, 2) + number(directory, at + 32, 2);
    if (next > std::ssize(directory)) zip_.refuse("its directory is damaged");
    const std::string name = directory.substr(static_cast<size_t>(at + kCentralBytes), static_cast<size_t>(name_bytes));
    const auto refuse = [&](const std::string& why) { zip_.refuse(concat("entry ", in_quotes(name), " ", why)); };
    const uint32_t flags = number(directory, at + 8, 2), method = number(directory, at + 10, 2);
    const int64_t stored = number(directory, at + 20, 4), bytes = number(directory, at + 24, 4);
    if ((flags & 1) != 0) refuse("is encrypted");
    if (method != 0) refuse("is compressed, and Keras stores its entries as they are; save the model again with Keras");
    if (stored != bytes || bytes == UINT32_MAX) refuse("has no size, or one above 4 GiB");
    const int64_t local = number(directory, at + 42, 4);
    const std::string header = piece(local, kLocalBytes);
    if (number(header, 0, 4) != kLocal) refuse("is not where the directory says");
    const int64_t offset = local + kLocalBytes + number(header, 26, 2) + number(header, 28, 2);
    if (offset > zip_.bytes_ || bytes > zip_.bytes_ - offset)
      refuse("lies beyond the end of the file; it was cut short");
    if (!zip_.entries_.emplace(name, Entry{offset, bytes, number(directory, at + 16, 4)}).second)
      refuse("is there twice");
    return next;
  }

  StoredZip& zip_;
};

StoredZip::StoredZip(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status {};
  if (file_.get() < 0 || ::fstat(file_.get(), &status) < 0)
    throw ConfigError(concat("cannot read ", in_quotes(path, 400), ": ", std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) throw ConfigError(concat(in_quotes(path, 400), " is not a file"));
  bytes_ = status.st_size;
  if (bytes_ < kEndBytes) refuse("it is too short for a .keras file, which is a zip file");
  Reader(*this).run();
}

std::string StoredZip::text(const std::string& name, int64_t most_bytes) const {
  const Entry& found = entry(name);
  if (found.bytes > most_bytes)
    refuse(concat("entry ", in_quotes(name), " has ", found.bytes, " bytes; at most ", most_bytes, " are read"));
  std::string content(static_cast<size_t>(found.bytes), '\0');
  read(found.offset, content.data(), found.bytes);
  if (crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())) != found.checksum)
    refuse(concat("entry ", in_quotes(name), " is damaged: its checksum differs"));
  return content;
}

Descriptor StoredZip::in_memory(const std::string& name) const {
  const Entry& found = entry(name);
  Descriptor copy(::memfd_create("keras weights", MFD_CLOEXEC));
  if (copy.get() < 0) refuse(concat("no file in memory for entry ", in_quotes(name), ": ", std::strerror(errno)));
  std::vector<char> block(static_cast<size_t>(std::min(kBlock, found.bytes)));
  uLong checksum = 0;
  for (int64_t done = 0; done < found.bytes;) {
    beat();
    const int64_t size = std::min(kBlock, found.bytes - done);
    read(found.offset + done, block.data(), size);
    checksum = crc32(checksum, reinterpret_cast<const Bytef*>(block.data()), static_cast<uInt>(size));
    if (::pwrite(copy.get(), block.data(), static_cast<size_t>(size), done) != size)
      refuse(concat("no memory for entry ", in_quotes(name), " of ", found.bytes, " bytes"));
    done += size;
  }
  if (checksum != found.checksum) refuse(concat("entry ", in_quotes(name), " is damaged: its checksum differs"));
  return copy;
}

const StoredZip::Entry& StoredZip::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(concat("it has no entry ", in_quotes(name), "; a .keras file has"));
  return found->second;
}

void StoredZip::read(int64_t offset, char* out, int64_t bytes) const {
  if (offset < 0 || bytes < 0 || offset > bytes_ || bytes > bytes_ - offset) refuse("it was cut short");
  for (int64_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(file_.get(), out + done, static_cast<size_t>(bytes - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) refuse("it was cut short while it was read");
    done += got;
  }
}

void StoredZip::refuse(const std::string& why) const { throw DataError(concat(in_quotes(path_, 400), ": ", why)); }

}  // namespace sft
