// The content of a .gz or .zst file, from the beginning on. Members of gzip and frames of zstd that stand one behind
// the other are one content.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct sft_decompressed;

namespace sft {

// The name of the file that was compressed: "rows.jsonl" of "rows.jsonl.gz"; the path itself where it is none.
std::string_view uncompressed_name(std::string_view path);
inline bool is_compressed(std::string_view path) { return uncompressed_name(path).size() < path.size(); }

class Decompressed {
 public:
  explicit Decompressed(const std::string& path);  // ConfigError where it cannot be opened

  // Fills `out` and returns `size`; less at the end alone. DataError where the file is cut off or damaged.
  size_t read(char* out, size_t size);

 private:
  struct Free {
    void operator()(sft_decompressed* handle) const;
  };
  std::unique_ptr<sft_decompressed, Free> handle_;
};

}  // namespace sft
