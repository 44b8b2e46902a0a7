// Sha256 over the crate's sha2, which uses the CPU's instructions where there are any.
#include "data/hash/sha256.h"

#include <sft_native.h>

#include <array>
#include <vector>

#include "base/input_file.h"
#include "base/stop_request.h"

namespace sft {

void Sha256::Free::operator()(sft_sha256* hash) const { sft_sha256_free(hash); }

Sha256::Sha256() : hash_(sft_sha256_new()) {}
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) { sft_sha256_update(hash_.get(), {bytes.data(), bytes.size()}); }

std::string Sha256::hex() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<uint8_t, 32> digest;
  sft_sha256_digest(hash_.get(), digest.data());
  std::string out;
  for (const uint8_t byte : digest) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::string sha256_of_file(const std::string& path) {
  const InputFile file(path);
  Sha256 hash;
  std::vector<char> block(1 << 20);
  for (int64_t offset = 0; offset < file.size();) {
    leave_if_asked();
    const size_t count = file.read(block.data(), block.size(), offset);
    if (count == 0) break;  // the file became shorter
    hash.update({block.data(), count});
    offset += static_cast<int64_t>(count);
  }
  return hash.hex();
}

}  // namespace sft
