#include "trainer/adapters/name_pattern.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr size_t kNamesShown = 3;

const char* reason_of(std::regex_constants::error_type code) {
  using namespace std::regex_constants;
  switch (code) {
    case error_paren:
      return "a parenthesis is not closed or not opened";
    case error_brack:
      return "a bracket [ is not closed";
    case error_brace:
      return "a brace { is not closed";
    case error_badbrace:
      return "what stands between braces { } is not a count";
    case error_range:
      return "a range in brackets runs backwards";
    case error_escape:
      return "a backslash is followed by nothing that it can escape";
    case error_badrepeat:
      return "* + ? or { has nothing before it to repeat";
    case error_backref:
      return "it refers back to a group that it does not have";
    case error_ctype:
      return "it names a character class that does not exist";
    default:
      return "it is malformed";
  }
}

std::regex compile(const std::string& text, const std::string& key) {
  try {
    return std::regex(text, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw ConfigError(concat(key, " ", in_quotes(text), " is not a regular expression: ", reason_of(error.code())));
  }
}

bool is_word_character(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// "bert.layer.0" → bert, layer, 0.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (const char c : text) {
    if (is_word_character(c)) {
      if (!in_word) words.emplace_back();
      words.back() += c;
    }
    in_word = is_word_character(c);
  }
  return words;
}

// Names that hold the word nearest to one of the regex's words that no name has; the first names where none is near.
std::vector<std::string> probably_meant(const std::string& regex, const std::vector<std::string>& names) {
  std::set<std::string> known;
  for (const std::string& name : names) {
    const auto words = words_of(name);
    known.insert(words.begin(), words.end());
  }
  for (const std::string& word : words_of(regex)) {
    if (known.count(word) != 0) continue;
    const std::string meant = nearest(word, {known.begin(), known.end()});
    if (meant.empty()) continue;
    std::vector<std::string> found;
    std::copy_if(names.begin(), names.end(), std::back_inserter(found), [&](const std::string& name) {
      const auto words = words_of(name);
      return std::find(words.begin(), words.end(), meant) != words.end();
    });
    return found;
  }
  return names;
}

}  // namespace

NamePattern::NamePattern(const std::string& regex, std::string key)
    : text_(regex), key_(std::move(key)), regex_(compile(text_, key_)) {}

void NamePattern::require_match(const std::vector<std::string>& names) const {
  if (std::any_of(names.begin(), names.end(), [&](const std::string& name) { return matches(name); })) return;
  auto shown = probably_meant(text_, names);
  const bool has_more = shown.size() > kNamesShown;
  if (has_more) shown.resize(kNamesShown);
  throw ConfigError(concat(key_, " ", in_quotes(text_), " matches none of the model's ", names.size(),
                           " parameter names; there are ", join(shown, ", "), has_more ? ", …" : ""));
}

}  // namespace sft
