// Small text work for messages: joining values, quoting untrusted text, finding the spelling that
// was probably meant, and writing counts, bytes and durations as people read them.
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

// "rank 3 of 8" from concat("rank ", 3, " of ", 8).
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// Control characters (also the two-byte ones of Unicode) and invalid UTF-8 bytes as \n, \x1b, …;
// those in `keep` stay. So that no text from a file can write to a terminal what it likes.
std::string escaped(std::string_view text, std::string_view keep = "");

// The text between single quotes, escaped, cut after `most` bytes, but never inside a character.
std::string in_quotes(std::string_view text, size_t most = 80);
// Exact overloads, or else argument-dependent lookup prefers std::quoted wherever <iomanip> is seen.
inline std::string in_quotes(const char* text, size_t most = 80) { return in_quotes(std::string_view(text), most); }
inline std::string in_quotes(const std::string& text, size_t most = 80) {
  return in_quotes(std::string_view(text), most);
}
inline std::string in_quotes(std::string& text, size_t most = 80) { return in_quotes(std::string_view(text), most); }

// The candidate nearest to `word` by edit distance, else the shortest that contains it or starts it
// (epochs: num_train_epochs; optimizer: optim), else "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// " (did you mean 'x'?)", or "" where nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

std::string human_bytes(double bytes);      // 12.3 MiB
std::string human_seconds(double seconds);  // 3h05m, 2m07s, 41.2s
std::string human_count(double count);      // 1,234,567

bool is_valid_utf8(std::string_view bytes);

}  // namespace sft
