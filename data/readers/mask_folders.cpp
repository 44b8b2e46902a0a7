// images/a/b.jpg belongs to masks/a/b.png.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/masked_files.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

struct Folders {
  fs::path images, masks;  // no masks: another layout
};

// Beside `images` the first that is there, with the same folder below it.
fs::path masks_beside(const fs::path& images, const fs::path& below) {
  for (const char* name : {"masks", "annotations"})
    if (const fs::path masks = images.parent_path() / name / below; fs::is_directory(masks)) return masks;
  return {};
}

// `root` itself has both folders, or stands below "images".
Folders folders_of(const std::string& path) {
  fs::path root = fs::path(path).lexically_normal();
  if (!root.has_filename()) root = root.parent_path();  // "data/train/"
  if (fs::is_directory(root / "images")) return {root / "images", masks_beside(root / "images", {})};
  if (root.filename() == "images") return {root, masks_beside(root, {})};
  if (root.parent_path().filename() == "images") return {root, masks_beside(root.parent_path(), root.filename())};
  return {root, {}};
}

int64_t count_masks(const fs::path& folder) {
  int64_t count = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    count += entry.is_regular_file() && (entry.path().extension() == ".png" || entry.path().extension() == ".PNG");
  return count;
}

}  // namespace

std::unique_ptr<ImageSource> open_mask_folders(const std::string& path) {
  const Folders folders = folders_of(path);
  if (folders.masks.empty()) return nullptr;
  auto pictures = open_image_files(folders.images.string());
  std::vector<MaskFile> masks;
  std::set<std::string> used;
  for (const std::string& picture : pictures->files()) {
    const fs::path below = fs::path(picture).lexically_relative(folders.images).replace_extension();
    masks.push_back(mask_file((folders.masks / below).string()));
    const std::string& mask = masks.back().path;
    if (!mask.empty() && !used.insert(mask).second)
      throw DataError(concat(mask, ": is the mask of two pictures, ", picture,
                             " and another of the same name with another ending; rename one of them"));
  }
  if (used.empty())
    throw DataError(concat(folders.masks.string(), ": no mask of a picture in ", folders.images.string(),
                           "; wanted a .png of the same name for each"));
  const int64_t unused = count_masks(folders.masks) - std::ssize(used);
  return with_masks(std::move(pictures), std::move(masks),
                    unused > 0 ? concat(unused, " masks without a picture left alone") : "");
}

std::unique_ptr<ImageSource> open_masked_images(const std::string& path, bool masks, const std::string& split,
                                                const ImageColumns& columns) {
  if (path.ends_with(".h5") || path.ends_with(".hdf5"))
    return masks ? open_hdf5_masks(path, columns) : open_hdf5_images(path, false, columns);
  if (auto voc = open_voc(path, masks, split)) return voc;
  if (!masks && is_image_file(path)) return open_image_files(path);
  if (!fs::is_directory(path))
    throw ConfigError(concat(path, ": wanted a directory with images/ and masks/, PASCAL VOC's directory or a list in ",
                             "its ImageSets/Segmentation, or HDF5 (.h5) with pixels and masks"));
  if (!masks) return open_image_files(folders_of(path).images.string());
  if (auto found = open_mask_folders(path)) return found;
  throw DataError(concat(path,
                         ": no masks found; wanted images/ and, beside it, masks/ (or annotations/) with a .png of "
                         "the same name for each picture, or JPEGImages/ and SegmentationClass/"));
}

}  // namespace sft
