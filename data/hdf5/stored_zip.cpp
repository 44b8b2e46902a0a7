#include "data/hdf5/stored_zip.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/errors.h"
#include "base/progress.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr size_t kPiece = 1 << 20;

std::string_view all_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.data()), static_cast<size_t>(file.size())};
}

}  // namespace

StoredZip::StoredZip(const std::string& path)
    : path_(path), file_(path), entries_(stored_entries(all_of(file_), path)) {}

std::string StoredZip::text(const std::string& name, int64_t most_bytes) const {
  if (const auto bytes = std::ssize(content_of(name)); bytes > most_bytes)
    refuse(concat("entry ", in_quotes(name), " has ", bytes, " bytes; at most ", most_bytes, " are read"));
  std::string content;
  read(name, [&](std::string_view piece, size_t) { content += piece; });
  return content;
}

Descriptor StoredZip::in_memory(const std::string& name) const {
  Descriptor copy(::memfd_create("keras weights", MFD_CLOEXEC));
  if (copy.get() < 0) refuse(concat("no file in memory for entry ", in_quotes(name), ": ", std::strerror(errno)));
  read(name, [&](std::string_view piece, size_t begin) {
    beat();
    if (::pwrite(copy.get(), piece.data(), piece.size(), static_cast<off_t>(begin)) != std::ssize(piece))
      refuse(concat("no memory for entry ", in_quotes(name), " of ", content_of(name).size(), " bytes"));
  });
  return copy;
}

std::string_view StoredZip::content_of(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(concat("it has no entry ", in_quotes(name), "; a .keras file has"));
  return all_of(file_).substr(static_cast<size_t>(found->second.offset), static_cast<size_t>(found->second.bytes));
}

template <class Take>
void StoredZip::read(const std::string& name, Take take) const {
  const std::string_view content = content_of(name);
  uLong checksum = 0;
  for (size_t begin = 0; begin < content.size(); begin += kPiece) {
    const std::string_view piece = content.substr(begin, kPiece);
    checksum = crc32(checksum, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
    take(piece, begin);
  }
  require_mapped_files_whole();
  if (checksum != entries_.at(name).checksum)
    refuse(concat("entry ", in_quotes(name), " is damaged: its checksum differs"));
}

void StoredZip::refuse(const std::string& why) const { throw DataError(concat(in_quotes(path_, 400), ": ", why)); }

}  // namespace sft
