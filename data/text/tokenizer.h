// The Hugging Face `tokenizers` library, through native/. Ids, offsets, truncation, pair templates
// and special tokens are its own, so they equal transformers'.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

struct Encoding {
  std::vector<int32_t> ids;
  std::vector<uint8_t> segments;  // token type ids
  bool truncated = false;
};

class Tokenizer {
 public:
  // From tokenizer.json, or from vocab.txt alone (BERT WordPiece; do_lower_case and the like from
  // tokenizer_config.json where it is there). ConfigError where the directory has neither, DataError where
  // one is malformed.
  static std::unique_ptr<Tokenizer> from_directory(const std::string& directory);
  virtual ~Tokenizer() = default;

  // direction: right | left | error (DataError when longer). Safe to call from several threads.
  virtual void set_truncation(int64_t max_length, const std::string& direction) = 0;
  virtual Encoding encode(std::string_view text) const = 0;
  virtual Encoding encode_pair(std::string_view first, std::string_view second) const = 0;

  virtual int64_t vocab_size() const = 0;         // added tokens included
  virtual std::string sha256() const = 0;         // of the file it was made from
  virtual std::string to_json() const = 0;        // a tokenizer.json that gives the same ids; without truncation and padding
};

}  // namespace sft
