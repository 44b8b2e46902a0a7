// Tokenizer over the C functions of native/: owning handles, statuses turned into errors, and
// encodings copied out of the batch that Rust hands over.
#include "data/text/tokenizer.h"

#include <sft_native.h>

#include <cassert>

#include "base/errors.h"
#include "base/text.h"
#include "data/hash/sha256.h"
#include "data/native/calls.h"

namespace sft {
namespace {

struct FreeTokenized {
  void operator()(sft_tokenizer* it) const { sft_tokenizer_free(it); }
  void operator()(sft_encodings* it) const { sft_encodings_free(it); }
  void operator()(sft_windows* it) const { sft_windows_free(it); }
  void operator()(sft_placed* it) const { sft_placed_free(it); }
};

ContextWindow window_of(const sft_windows_view& view, size_t begin, size_t end) {
  ContextWindow out;
  out.ids.assign(view.ids + begin, view.ids + end);
  out.segments.assign(view.segments + begin, view.segments + end);
  out.first.assign(view.first + begin, view.first + end);
  out.end.assign(view.end + begin, view.end + end);
  return out;
}

// Why there are no windows.
std::string too_narrow(size_t question_length, size_t num_special, const WindowLimits& limits) {
  const auto room = limits.max_length - static_cast<int64_t>(question_length + num_special);
  const std::string lengths =
      concat("the question (", question_length, " tokens) and ", num_special, " special tokens leave ");
  if (room <= 0) {
    return concat(lengths, "no room for the context in max_length = ", limits.max_length,
                  "; raise it, or shorten the question");
  }
  return concat(lengths, room, " of max_length = ", limits.max_length,
                " to the context, but doc_stride = ", limits.stride,
                " must be less than that; lower doc_stride, or raise max_length");
}

class NativeTokenizer final : public Tokenizer {
 public:
  NativeTokenizer(const std::string& directory, const std::string& model, sft_tokenizer* opened)
      : handle_(opened), directory_(directory), model_(model.empty() ? directory : model) {
    sha256_ = sft::sha256(to_json());
  }

  const std::string& directory() const override { return directory_; }
  const std::string& model() const override { return model_; }

  void set_truncation(int64_t max_length, const std::string& direction) override {
    check(sft_tokenizer_truncate(handle_.get(), static_cast<size_t>(max_length), direction == "left"));
    max_length_ = max_length;
    longer_is_error_ = direction == "error";
  }

  Encoding encode(std::string_view text) const override { return accepted(encode_batch({text}, {})); }

  Encoding encode_pair(std::string_view first, std::string_view second) const override {
    return accepted(encode_batch({first}, {second}));
  }

  std::vector<Encoding> encode_batch(const std::vector<std::string_view>& first,
                                     const std::vector<std::string_view>& second) const override {
    assert(second.empty() || second.size() == first.size());
    const auto firsts = lend(first);
    const auto seconds = lend(second);
    sft_encodings* encoded = nullptr;
    check(sft_tokenizer_encode(handle_.get(), firsts.data(), seconds.empty() ? nullptr : seconds.data(), firsts.size(),
                               &encoded));
    const std::unique_ptr<sft_encodings, FreeTokenized> owner(encoded);
    return copy(sft_encodings_get(encoded), first.size());
  }

  std::vector<Encoding> encode_whole(const std::vector<std::string_view>& texts) const override {
    const auto lent = lend(texts);
    sft_encodings* encoded = nullptr;
    check(sft_tokenizer_encode_whole(handle_.get(), lent.data(), lent.size(), &encoded));
    const std::unique_ptr<sft_encodings, FreeTokenized> owner(encoded);
    std::vector<Encoding> out = copy(sft_encodings_get(encoded), texts.size());
    for (Encoding& encoding : out) encoding.truncated = false;
    return out;
  }

  std::vector<Encoding> encode_words(const std::vector<std::vector<std::string>>& texts) const override {
    std::vector<sft_bytes> words;
    std::vector<size_t> ends;
    for (const auto& text : texts) {
      for (const std::string& word : text) words.push_back(lend(word));
      ends.push_back(words.size());
    }
    sft_encodings* encoded = nullptr;
    check(sft_tokenizer_encode_words(handle_.get(), words.data(), ends.data(), texts.size(), &encoded));
    const std::unique_ptr<sft_encodings, FreeTokenized> owner(encoded);
    return copy(sft_encodings_get(encoded), texts.size());
  }

  std::vector<ContextWindows> encode_windows(const std::vector<std::string_view>& questions,
                                             const std::vector<std::string_view>& contexts,
                                             const WindowLimits& limits) const override {
    assert(questions.size() == contexts.size() && limits.max_length > 0 && limits.stride >= 0);
    const auto firsts = lend(questions);
    const auto seconds = lend(contexts);
    sft_windows* encoded = nullptr;
    check(sft_tokenizer_windows(handle_.get(), firsts.data(), seconds.data(), firsts.size(),
                                {static_cast<size_t>(limits.max_length), static_cast<size_t>(limits.stride)},
                                &encoded));
    const std::unique_ptr<sft_windows, FreeTokenized> owner(encoded);
    const sft_windows_view view = sft_windows_get(encoded);
    std::vector<ContextWindows> out(questions.size());
    size_t window = 0, token = 0;
    for (size_t i = 0; i < out.size(); ++i) {
      for (; window < view.window_ends[i]; token = view.token_ends[window++])
        out[i].windows.push_back(window_of(view, token, view.token_ends[window]));
      if (out[i].windows.empty()) out[i].problem = too_narrow(view.question_lengths[i], view.num_special, limits);
    }
    return out;
  }

  std::vector<PlacedTokens> encode_placed(const std::vector<std::string_view>& texts) const override {
    const auto lent = lend(texts);
    sft_placed* encoded = nullptr;
    check(sft_tokenizer_encode_placed(handle_.get(), lent.data(), lent.size(), &encoded));
    const std::unique_ptr<sft_placed, FreeTokenized> owner(encoded);
    const sft_placed_view view = sft_placed_get(encoded);
    std::vector<PlacedTokens> out(texts.size());
    for (size_t i = 0, begin = 0; i < out.size(); begin = view.ends[i++]) {
      out[i].ids.assign(view.ids + begin, view.ids + view.ends[i]);
      out[i].first.assign(view.first + begin, view.first + view.ends[i]);
      out[i].end.assign(view.end + begin, view.end + view.ends[i]);
    }
    return out;
  }

  std::string decode(std::span<const int32_t> ids) const override {
    const std::vector<uint32_t> numbers(ids.begin(), ids.end());
    sft_text* decoded = nullptr;
    check(sft_tokenizer_decode(handle_.get(), numbers.data(), numbers.size(), &decoded));
    return taken(decoded);
  }

  int64_t vocab_size() const override { return static_cast<int64_t>(sft_tokenizer_vocab_size(handle_.get())); }

  std::string to_json() const override {
    const sft_bytes text = sft_tokenizer_json(handle_.get());
    return {text.data, text.size};
  }

  bool is_json() const override { return sft_tokenizer_is_json(handle_.get()) != 0; }

  std::string sha256() const override { return sha256_; }

 private:
  std::vector<Encoding> copy(const sft_encodings_view& view, size_t count) const {
    std::vector<Encoding> out(count);
    size_t begin = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t end = view.ends[i];
      out[i].ids.assign(view.ids + begin, view.ids + end);
      out[i].segments.assign(view.segments + begin, view.segments + end);
      if (view.words != nullptr) out[i].words.assign(view.words + begin, view.words + end);
      out[i].full_length = static_cast<int64_t>(view.full_lengths[i]);
      out[i].truncated = max_length_ > 0 && out[i].full_length > max_length_;
      begin = end;
    }
    return out;
  }

  Encoding accepted(std::vector<Encoding> batch) const {
    Encoding& encoding = batch.front();
    if (longer_is_error_ && encoding.truncated) {
      throw DataError(concat("a text has ", encoding.full_length, " tokens, max_length is ", max_length_));
    }
    return std::move(encoding);
  }

  std::unique_ptr<sft_tokenizer, FreeTokenized> handle_;
  std::string directory_, model_, sha256_;
  int64_t max_length_ = 0;
  bool longer_is_error_ = false;
};

}  // namespace

std::unique_ptr<Tokenizer> Tokenizer::from_directory(const std::string& directory, const std::string& model) {
  sft_tokenizer* opened = nullptr;
  check(sft_tokenizer_open(lend(directory), /*of_targets=*/0, &opened));
  return std::make_unique<NativeTokenizer>(directory, model, opened);
}

std::unique_ptr<Tokenizer> Tokenizer::of_targets(const std::string& directory) {
  sft_tokenizer* opened = nullptr;
  check(sft_tokenizer_open(lend(directory), /*of_targets=*/1, &opened));
  return opened == nullptr ? nullptr : std::make_unique<NativeTokenizer>(directory, directory, opened);
}

}  // namespace sft
