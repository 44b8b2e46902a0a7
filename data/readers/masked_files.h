// Pictures in files, and for each the file of its mask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/readers/image_source.h"

namespace sft {

struct MaskFile {
  std::string path;    // "": there is none
  std::string wanted;  // where it was looked for
};

// By a mask's name in another folder: the first of .png and .PNG that is there.
MaskFile mask_file(const std::string& without_ending);

// `masks`: of each picture. `note` stands beside that of the pictures.
std::unique_ptr<ImageSource> with_masks(std::unique_ptr<ImageSource> pictures, std::vector<MaskFile> masks,
                                        std::string note);

}  // namespace sft
