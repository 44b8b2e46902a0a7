#include "base/leftovers.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/errors.h"
#include "base/process.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

bool is_dead(pid_t process) { return ::kill(process, 0) != 0 && errno == ESRCH; }

}  // namespace

std::string name_in_progress(const std::string& path, std::string_view mark) {
  return concat(path, ".", mark, "-", host_name(), "-", ::getpid());
}

bool is_left_over(std::string_view file_name) {
  const size_t dash = file_name.rfind('-');
  if (dash == std::string_view::npos || !file_name.substr(0, dash).ends_with("-" + host_name())) return false;
  const std::string_view digits = file_name.substr(dash + 1);
  pid_t process = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), process);
  return error == std::errc{} && end == digits.data() + digits.size() && process > 0 && is_dead(process);
}

void remove_leftovers(FileOps& files, const std::string& path, std::string_view mark) {
  const fs::path parent = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : ".";
  const std::string start = concat(fs::path(path).filename().string(), ".", mark);
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool is_of_mark = name.starts_with(start) && (name[start.size()] == '-' || name[start.size()] == '.');
    if (is_of_mark && is_left_over(name)) found.push_back(entry.path().string());
  }
  for (const std::string& leftover : found) {
    try {
      files.remove_all(leftover);
    } catch (const StorageError&) {  // of another user, or on a disk that fails: it stays
    }
  }
}

}  // namespace sft
