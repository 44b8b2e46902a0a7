#include "data/readers/input_files.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const Origins& origins, const std::string& key, const std::string& what) {
  throw ConfigError(concat(place_of(origins, key), key, what));
}

}  // namespace

StringList expand_files(const StringList& patterns, const std::string& key, const Origins& origins, Accepts accepts) {
  StringList files;
  for (const std::string& pattern : patterns) {
    const size_t first = files.size();
    if (fs::exists(pattern)) {  // a name may hold brackets
      files.push_back(pattern);
    } else {
      glob_t found{};
      if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
        files.insert(files.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
      ::globfree(&found);
      std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
    }
    if (files.size() == first) {
      const bool is_glob = pattern.find_first_of("*?[") != std::string::npos;
      refuse(origins, key, concat(": ", is_glob ? "no file matches " : "there is no file ", in_quotes(pattern, 400)));
    }
    for (size_t i = first; i < files.size(); ++i) {
      if (fs::is_directory(files[i]) && accepts == Accepts::files)
        refuse(origins, key, concat(": ", in_quotes(files[i], 400), " is a directory; wanted files"));
      if (!fs::is_directory(files[i]) && !fs::is_regular_file(files[i]))
        refuse(origins, key, concat(": ", in_quotes(files[i], 400), " is no regular file"));
      if (::access(files[i].c_str(), R_OK) != 0)
        refuse(origins, key,
               concat(": cannot read ", in_quotes(files[i], 400), ": ", std::generic_category().message(errno)));
    }
  }
  return files;
}

}  // namespace sft
