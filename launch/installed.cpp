#include "launch/installed.h"

#include <filesystem>

namespace sft {

std::string installed(const std::string& name) {
  std::error_code unknown;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const auto found = program.parent_path().parent_path() / "share/sft-dist" / name;
  return std::filesystem::exists(found, unknown) ? found.string() : name;
}

}  // namespace sft
