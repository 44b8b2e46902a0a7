#include "base/mark.h"

#include <filesystem>

namespace sft {
namespace {

constexpr char kProgram[] = "sft-dist";

std::string path_in(const std::string& directory) { return directory + "/" + kMarkName; }

}  // namespace

void leave_mark(FileOps& files, const std::string& directory, nlohmann::json about) {
  about["program"] = kProgram;
  write_atomically(files, path_in(directory), about.dump(1) + "\n");
}

std::optional<nlohmann::json> mark_of(const std::string& directory) {
  if (std::error_code none; !std::filesystem::is_regular_file(path_in(directory), none)) return {};
  const auto mark = nlohmann::json::parse(read_file(path_in(directory)), nullptr, false);
  if (!mark.is_object() || mark.value("program", nlohmann::json()) != kProgram) return {};
  return mark;
}

}  // namespace sft
