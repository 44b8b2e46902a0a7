#include "base/output_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

const char* kind_of(const fs::file_status& status) {
  switch (status.type()) {
    case fs::file_type::directory:
      return "a directory";
    case fs::file_type::character:
    case fs::file_type::block:
      return "a device";
    case fs::file_type::fifo:
      return "a pipe";
    case fs::file_type::socket:
      return "a socket";
    default:
      return "no plain file";
  }
}

}  // namespace

std::string output_file(const std::string& option, const std::string& path, const std::vector<std::string>& inputs) {
  const auto refuse = [&](const std::string& problem) {
    throw ConfigError(concat(option, ": ", in_quotes(path, 400), " ", problem));
  };
  if (path.empty() || path == "-") refuse("is no file; wanted: a file to make, or one to replace");
  std::error_code none;
  const fs::file_status status = fs::status(path, none);
  if (fs::exists(status) && !fs::is_regular_file(status))
    refuse(concat("is ", kind_of(status), "; wanted: a path where nothing is yet, or a file to replace"));
  for (const std::string& input : inputs)
    if (is_same_file(path, input) || (fs::exists(status) && fs::is_directory(input, none) && lies_in(path, input)))
      refuse(concat("is read by this command, or by a run that it names (", in_quotes(input, 400),
                    ") and would be lost; name another file"));
  const fs::path target = fs::weakly_canonical(fs::absolute(path), none);
  if (none) refuse(concat("cannot be followed: ", none.message()));
  if (!fs::is_directory(target.parent_path(), none))
    refuse(concat("would be in ", in_quotes(target.parent_path().string(), 400), ", which is no directory"));
  return target.string();
}

std::string file_identity(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return concat(status.st_dev, ":", status.st_ino);
  std::error_code none;
  return fs::weakly_canonical(fs::absolute(path), none).string();
}

bool is_same_file(const std::string& one, const std::string& other) {
  return file_identity(one) == file_identity(other);
}

bool lies_in(const std::string& path, const std::string& directory) {
  std::error_code none;
  const fs::path inner = fs::weakly_canonical(fs::absolute(path), none),
                 outer = fs::weakly_canonical(fs::absolute(directory), none);
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

}  // namespace sft
