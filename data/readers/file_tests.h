// What stands at a path that a file names: a name that no file can have is one that is not there.
#pragma once

#include <filesystem>
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

}  // namespace sft
