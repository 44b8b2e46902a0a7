// The Hugging Face `tokenizers` library, through native/. Ids, offsets, truncation, pair templates
// and special tokens are its own, so they equal transformers'.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

struct Encoding {
  std::vector<int32_t> ids;
  std::vector<uint8_t> segments;  // token type ids
  std::vector<int32_t> words;     // of encode_words: which word each token is of, −1 for special tokens
  int64_t full_length = 0;        // tokens before truncation, special tokens included
  bool truncated = false;         // full_length is above what set_truncation allows
};

// A text whose tokens know their place: each is made of the bytes first … end−1.
struct PlacedTokens {
  std::vector<int32_t> ids;
  std::vector<int64_t> first, end;
};

// A question and a piece of its context, as one pair.
struct ContextWindow {
  std::vector<int32_t> ids;
  std::vector<uint8_t> segments;
  // The characters first … end−1 of the context (code points of Unicode) that a token is made of; −1 and −1 where the
  // token is not of the context.
  std::vector<int32_t> first, end;
};

struct WindowLimits {
  int64_t max_length = 384;  // tokens of a window, special tokens included
  int64_t stride = 128;      // tokens of the context that a window shares with the one before
};

struct ContextWindows {
  std::vector<ContextWindow> windows;  // none: `problem` says why
  std::string problem;                 // the question leaves too little room; lengths and cure are in it
};

class Tokenizer {
 public:
  // From tokenizer.json, or from vocab.txt alone (BERT WordPiece; do_lower_case and the like from
  // tokenizer_config.json where it is there), or from vocab.json and merges.txt (byte-level BPE, where
  // tokenizer_config.json or config.json says RoBERTa), or from source.spm, target.spm and vocab.json (Marian), or from
  // spiece.model (where those files say T5). Settings in tokenizer_config.json win over tokenizer.json's own, as in
  // transformers. ConfigError where the directory has none of them, DataError where one is malformed.
  // `model`: the directory whose config.json says what the tokens are for, "" where it is the same.
  static std::unique_ptr<Tokenizer> from_directory(const std::string& directory, const std::string& model = "");

  // What cuts the texts that a model of that directory writes. Null: the same as cuts the texts that it reads; only
  // Marian's languages have a tokenizer each.
  static std::unique_ptr<Tokenizer> of_targets(const std::string& directory);
  virtual ~Tokenizer() = default;

  // Where it was read from, and where the model's other files about its texts stand.
  virtual const std::string& directory() const = 0;
  virtual const std::string& model() const = 0;

  // direction: left cuts the beginning, all others cut the end; error also has a longer text refused. A pair loses
  // tokens of its longer text first, as by transformers' longest_first. ConfigError where max_length leaves no room for
  // the special tokens.
  virtual void set_truncation(int64_t max_length, const std::string& direction) = 0;

  // Text is UTF-8 (else DataError) and may hold NUL. Under direction "error" a longer text is a DataError.
  // These are safe to call from several threads.
  virtual Encoding encode(std::string_view text) const = 0;
  virtual Encoding encode_pair(std::string_view first, std::string_view second) const = 0;

  // Many at once, on the cores that this process may use; `second` is empty, or as long as `first`. Under
  // direction "error" a longer text is cut and marked `truncated`, so that the caller can say which one it was.
  virtual std::vector<Encoding> encode_batch(const std::vector<std::string_view>& first,
                                             const std::vector<std::string_view>& second = {}) const = 0;

  // Many at once, whatever set_truncation says: none is cut, nor marked `truncated`.
  virtual std::vector<Encoding> encode_whole(const std::vector<std::string_view>& texts) const = 0;

  // Texts that come as words, each cut by itself: the ids of transformers' is_split_into_words. A word may have no
  // token.
  virtual std::vector<Encoding> encode_words(const std::vector<std::vector<std::string>>& texts) const = 0;

  // Many at once, whatever set_truncation says, and without special tokens around them: those that stand in a text are
  // found there. ConfigError of Marian's, which knows no places; encode_windows likewise.
  virtual std::vector<PlacedTokens> encode_placed(const std::vector<std::string_view>& texts) const = 0;

  // Ids back to text, special tokens by their names. Bytes that are no whole character become U+FFFD.
  virtual std::string decode(std::span<const int32_t> ids) const = 0;

  // Pairs of a question and its context, each in as many windows as a long context needs, whatever set_truncation says:
  // transformers' truncation = "only_second" with return_overflowing_tokens. As many contexts as questions; those with
  // one context are best next to each other, since it is cut once.
  virtual std::vector<ContextWindows> encode_windows(const std::vector<std::string_view>& questions,
                                                     const std::vector<std::string_view>& contexts,
                                                     const WindowLimits& limits) const = 0;

  // One above the largest id that it can give, added tokens included: as many rows must a table of embeddings have.
  virtual int64_t vocab_size() const = 0;

  // A tokenizer.json that gives the same ids; without truncation and padding. Where is_json() is false (Marian) it has
  // words, special tokens and digests of the models, and the files that it was read from are the tokenizer.
  virtual std::string to_json() const = 0;
  virtual bool is_json() const = 0;

  // Of to_json(), in hex: what gives the same ids has the same digest, whichever files it was read from. Of Marian's,
  // models of both languages are in it.
  virtual std::string sha256() const = 0;
};

}  // namespace sft
