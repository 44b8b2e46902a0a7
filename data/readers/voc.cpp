// PASCAL VOC: lists of names in ImageSets/Segmentation, pictures in JPEGImages, masks in SegmentationClass.
#include <filesystem>

#include "base/text.h"
#include "data/readers/masked_files.h"
#include "data/readers/voc_lists.h"

namespace sft {

std::unique_ptr<ImageSource> open_voc(const std::string& path, bool masks, const std::string& split) {
  const std::filesystem::path pictures = std::filesystem::path(path) / "JPEGImages";
  if (!masks && std::filesystem::is_directory(pictures)) return open_image_files(pictures.string());
  auto found = voc_list(path, "Segmentation", split);
  if (!found) return nullptr;
  if (!masks) return these_image_files(std::move(found->pictures));
  std::vector<MaskFile> of_pictures;
  for (const std::string& name : found->names)
    of_pictures.push_back(mask_file((found->root / "SegmentationClass" / name).string()));
  return with_masks(these_image_files(std::move(found->pictures)), std::move(of_pictures),
                    concat("pictures of ", found->list.string()));
}

}  // namespace sft
