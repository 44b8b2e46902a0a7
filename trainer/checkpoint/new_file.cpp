// Written in pieces small enough to be in the cache still when the checksum has passed over them.
#include "trainer/checkpoint/new_file.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

#include "base/crc32c.h"
#include "base/failpoint.h"

namespace sft {

constexpr int64_t kPieceBytes = 1 << 20;

NewFile::NewFile(FileOps& files, std::string path, int64_t expected_bytes)
    : files_(files), path_(std::move(path)), descriptor_(files.create(path_, expected_bytes)) {}

NewFile::~NewFile() {
  if (descriptor_ < 0) return;
  try {
    files_.close(descriptor_, path_);
  } catch (...) {  // the failure that led here is already on its way
  }
}

void NewFile::append(const void* data, int64_t bytes, ShownWork* work) {
  const auto* from = static_cast<const std::byte*>(data);
  while (bytes > 0) {
    const auto piece = static_cast<size_t>(std::min(bytes, kPieceBytes));
    crc_ = crc32c(from, piece, crc_);
    failpoint("file.append");
    files_.write(descriptor_, from, piece, size_, path_);
    from += piece;
    size_ += static_cast<int64_t>(piece);
    bytes -= static_cast<int64_t>(piece);
    if (work != nullptr) work->add(static_cast<int64_t>(piece));
  }
}

uint32_t NewFile::finish() {
  files_.sync(descriptor_, path_);
  files_.close(std::exchange(descriptor_, -1), path_);
  return crc_;
}

uint32_t write_new_file(FileOps& files, const std::string& path, std::string_view content) {
  const auto bytes = static_cast<int64_t>(content.size());
  NewFile file(files, path, bytes);
  file.append(content.data(), bytes);
  return file.finish();
}

}  // namespace sft
