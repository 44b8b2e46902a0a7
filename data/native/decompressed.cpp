#include "data/native/decompressed.h"

#include "data/native/calls.h"

namespace sft {

std::string_view uncompressed_name(std::string_view path) {
  for (const std::string_view ending : {".gz", ".zst"})
    if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size());
  return path;
}

void Decompressed::Free::operator()(sft_decompressed* handle) const { sft_decompressed_free(handle); }

Decompressed::Decompressed(const std::string& path) {
  sft_decompressed* opened = nullptr;
  check(sft_decompressed_open(lend(path), &opened));
  handle_.reset(opened);
}

size_t Decompressed::read(char* out, size_t size) {
  size_t count = 0;
  check(sft_decompressed_read(handle_.get(), out, size, &count));
  return count;
}

}  // namespace sft
