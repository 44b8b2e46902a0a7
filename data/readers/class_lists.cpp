#include "data/readers/class_lists.h"

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "base/utf8.h"
#include "data/readers/file_tests.h"
#include "data/readers/list_lines.h"

namespace sft {

namespace fs = std::filesystem;

StringList listed_classes(const std::string& path) {
  const fs::path at = fs::path(path).lexically_normal();
  for (const fs::path& folder : {at, at.parent_path(), at.parent_path().parent_path()}) {
    const fs::path list = folder / "classes.txt";
    if (!is_file(list)) continue;
    StringList names = list_lines(list.string());
    while (!names.empty() && names.back().empty()) names.pop_back();
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty())
        throw DataError(concat(list.string(), ":", i + 1, ": is empty; wanted the name of class ", i));
      if (!is_valid_utf8(names[i]))
        throw DataError(concat(list.string(), ":", i + 1, ": ", utf8_problem(names[i])));
      const auto before = std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]);
      if (before != names.begin() + static_cast<std::ptrdiff_t>(i))
        throw DataError(concat(list.string(), ":", i + 1, ": ", in_quotes(names[i]), " is the name of class ",
                               before - names.begin(), " too; wanted another name for each"));
    }
    return names;
  }
  return {};
}

}  // namespace sft
