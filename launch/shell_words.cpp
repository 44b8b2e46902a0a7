#include "launch/shell_words.h"

namespace sft {

std::string quoted_for_shell(const std::string& word) {
  if (!word.empty() &&
      word.find_first_not_of("+-.,/:=@%_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
          std::string::npos)
    return word;
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

std::string target_in_shell(const Arguments& arguments) {
  std::string words = quoted_for_shell(arguments.target);
  for (const std::string& setting : arguments.overrides) words += ' ' + quoted_for_shell(setting);
  return words;
}

}  // namespace sft
