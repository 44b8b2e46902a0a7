// A regex of the config, searched in parameter names.
#pragma once

#include <regex>
#include <string>
#include <vector>

namespace sft {

class NamePattern {
 public:
  // `key` says where the regex stands in the config, for messages. ConfigError where it is malformed.
  NamePattern(const std::string& regex, std::string key);

  const std::string& text() const { return text_; }
  const std::string& key() const { return key_; }
  bool matches(const std::string& name) const { return std::regex_search(name, regex_); }

  // ConfigError with a few of the names that were probably meant, where it matches none of them.
  void require_match(const std::vector<std::string>& names) const;

 private:
  std::string text_, key_;
  std::regex regex_;
};

}  // namespace sft
