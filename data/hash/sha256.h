// SHA-256 (FIPS 180-4), for names that follow from content.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct sft_sha256;

namespace sft {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view bytes);
  std::string hex();  // 64 digits; ends the hash, the next update() begins another

 private:
  struct Free {
    void operator()(sft_sha256* hash) const;
  };
  std::unique_ptr<sft_sha256, Free> hash_;
};

std::string sha256(std::string_view bytes);

// Of a file's content, read in pieces. ConfigError where it cannot be read.
std::string sha256_of_file(const std::string& path);

}  // namespace sft
