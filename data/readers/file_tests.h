// What stands at a path that a file names: a name that no file can have is one that is not there.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

namespace sft {

inline bool is_file(const std::filesystem::path& path) {
  std::error_code cannot_be;
  return std::filesystem::is_regular_file(path, cannot_be);
}

inline bool is_there(const std::filesystem::path& path) {
  std::error_code cannot_be;
  return std::filesystem::exists(path, cannot_be);
}

// Behind the message that a file is missing: "" where its name has no backslashes that stand for slashes.
inline std::string hint_of_backslashes(std::string path) {
  if (path.find('\\') == std::string::npos) return "";
  std::ranges::replace(path, '\\', '/');
  return is_there(path) ? "; there is one with / in place of \\, which parts folders here: write that" : "";
}

}  // namespace sft
