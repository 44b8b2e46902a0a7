// PASCAL VOC's lists of names, in ImageSets/Segmentation or ImageSets/Main, of pictures in JPEGImages.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sft {

struct VocList {
  std::filesystem::path root, list;
  std::vector<std::string> names, pictures;  // what is listed, and the file of each picture
};

// `path` is a list in ImageSets/<kind>, or the root, of which the list that is called as the split is read. Nothing
// where it is neither. DataError where a picture is missing or none is listed, ConfigError where there is no such list.
std::optional<VocList> voc_list(const std::string& path, const std::string& kind, const std::string& split);

// Of a folder, by a name without its ending; "" where there is none.
std::string picture_named(const std::filesystem::path& folder, const std::string& name);

}  // namespace sft
