#include "data/readers/input_files.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/dataset_directory.h"
#include "data/readers/file_tests.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const Origins& origins, const std::string& key, const std::string& what) {
  throw ConfigError(concat(place_of(origins, key), key, what));
}

// As people call the splits that the keys of a config ask for.
StringList splits_for(const std::string& key) {
  if (key == "data.train_file") return {"train"};
  if (key == "data.validation_file") return {"validation", "valid", "val", "dev"};
  if (key == "data.test_file") return {"test"};
  return {};
}

// A directory of another kind that holds files of rows or samples; "" where none is found.
std::string rows_in(const std::string& directory) {
  std::error_code unreadable;
  for (const char* ending : {"h5", "hdf5", "parquet", "arrow", "jsonl", "csv", "json"})
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, unreadable))
      if (entry.path().extension() == concat(".", ending)) return concat(directory, "/*.", ending);
  return "";
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
      refuse(origins, key,
             concat(": ", is_glob ? "no file matches " : "there is no file ", in_quotes(pattern, 400),
                    hint_of_backslashes(pattern)));
    }
    StringList named;
    for (size_t i = first; i < files.size(); ++i) {
      if (!is_dataset_directory(files[i])) {
        named.push_back(files[i]);
        continue;
      }
      const StringList its = files_of_dataset(files[i], splits_for(key), place_of(origins, key) + key);
      named.insert(named.end(), its.begin(), its.end());
    }
    files.resize(first);
    files.insert(files.end(), named.begin(), named.end());
    for (size_t i = first; i < files.size(); ++i) {
      if (fs::is_directory(files[i]) && accepts == Accepts::files) {
        const std::string rows = rows_in(files[i]);
        refuse(origins, key,
               concat(": ", in_quotes(files[i], 400), " is a directory; wanted files",
                      rows.empty() ? "" : concat(", as ", in_quotes(rows, 400))));
      }
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
