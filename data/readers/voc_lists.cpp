#include "data/readers/voc_lists.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/file_tests.h"
#include "data/readers/list_lines.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

bool is_list(const fs::path& path, const std::string& kind) {
  return path.extension() == ".txt" && path.parent_path().filename() == kind &&
         path.parent_path().parent_path().filename() == "ImageSets";
}

// Of a root: that which is called as the split. What is evaluated beside the config's files counts as the test split.
fs::path list_for(const fs::path& lists, const std::string& split) {
  const char* const name = split == "train" ? "train" : split == "validation" ? "val" : "test";
  const fs::path list = lists / concat(name, ".txt");
  if (is_file(list)) return list;
  std::vector<std::string> there;
  if (fs::is_directory(lists))
    for (const fs::directory_entry& entry : fs::directory_iterator(lists))
      if (entry.path().extension() == ".txt") there.push_back(entry.path().string());
  std::ranges::sort(there);
  throw ConfigError(
      concat(list.string(), ": there is no such list",
             there.empty() ? "" : concat("; name one of these in place of the directory: ", join(there, ", "))));
}

}  // namespace

std::string picture_named(const fs::path& folder, const std::string& name) {
  for (const char* ending : {".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG", ".bmp", ".webp"})
    if (const fs::path file = folder / (name + ending); is_file(file)) return file.string();
  return "";
}

std::optional<VocList> voc_list(const std::string& path, const std::string& kind, const std::string& split) {
  VocList found{.root = fs::path(path).lexically_normal(), .list = {}, .names = {}, .pictures = {}};
  if (is_list(found.root, kind)) {
    found.list = found.root;
    found.root = found.list.parent_path().parent_path().parent_path();
  } else {
    if (!fs::is_directory(found.root / "JPEGImages")) return {};
    found.list = list_for(found.root / "ImageSets" / kind, split);
  }
  int64_t line = 0;
  for (std::string name : list_lines(found.list.string())) {
    ++line;
    name = name.substr(0, name.find_first_of(" \t\r"));
    if (name.empty()) continue;
    const std::string picture = picture_named(found.root / "JPEGImages", name);
    if (picture.empty())
      throw DataError(concat(found.list.string(), ":", line, ": names ", in_quotes(name), ", and there is no ",
                             (found.root / "JPEGImages" / name).string(), ".jpg"));
    found.names.push_back(name);
    found.pictures.push_back(picture);
  }
  if (found.names.empty()) throw DataError(concat(found.list.string(), ": names no picture"));
  return found;
}

}  // namespace sft
