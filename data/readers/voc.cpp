// PASCAL VOC: lists of names in ImageSets/Segmentation, pictures in JPEGImages, masks in SegmentationClass.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/masked_files.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr char kLists[] = "ImageSets/Segmentation", kPictures[] = "JPEGImages", kMasks[] = "SegmentationClass";

bool is_list(const fs::path& path) {
  return path.extension() == ".txt" && path.parent_path().filename() == "Segmentation" &&
         path.parent_path().parent_path().filename() == "ImageSets";
}

// Of a root: that which is called as the split.
fs::path list_for(const fs::path& root, const std::string& split) {
  const fs::path list = root / kLists / ((split == "validation" ? "val" : split) + ".txt");
  if (fs::is_regular_file(list)) return list;
  std::vector<std::string> there;
  if (fs::is_directory(root / kLists))
    for (const fs::directory_entry& entry : fs::directory_iterator(root / kLists))
      if (entry.path().extension() == ".txt") there.push_back(entry.path().string());
  std::ranges::sort(there);
  throw ConfigError(
      concat(list.string(), ": there is no such list",
             there.empty() ? "" : concat("; name one of these in place of the directory: ", join(there, ", "))));
}

std::string picture_file(const fs::path& folder, const std::string& name, const std::string& place) {
  for (const char* ending : {".jpg", ".jpeg", ".png"})
    if (const fs::path file = folder / (name + ending); fs::is_regular_file(file)) return file.string();
  throw DataError(concat(place, ": names ", in_quotes(name), ", and there is no ", folder.string(), "/", name, ".jpg"));
}

}  // namespace

std::unique_ptr<ImageSource> open_voc(const std::string& path, bool masks, const std::string& split) {
  fs::path list = fs::path(path).lexically_normal(), root = list;
  if (is_list(list)) {
    root = list.parent_path().parent_path().parent_path();
  } else {
    if (!fs::is_directory(root / kPictures)) return nullptr;
    if (!masks) return open_image_files((root / kPictures).string());
    list = list_for(root, split);
  }
  std::vector<std::string> pictures;
  std::vector<MaskFile> of_pictures;
  std::ifstream lines(list);
  int64_t line = 0;
  for (std::string name; std::getline(lines, name);) {
    ++line;
    name = name.substr(0, name.find_first_of(" \t\r"));
    if (name.empty()) continue;
    pictures.push_back(picture_file(root / kPictures, name, concat(list.string(), ":", line)));
    of_pictures.push_back(mask_file((root / kMasks / name).string()));
  }
  if (pictures.empty()) throw DataError(concat(list.string(), ": names no picture"));
  if (!masks) return these_image_files(std::move(pictures));
  return with_masks(these_image_files(std::move(pictures)), std::move(of_pictures),
                    concat("pictures of ", list.string()));
}

}  // namespace sft
