// Pictures in files, and for each the file of its mask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/readers/image_source.h"

namespace sft {

// Where a mask is looked for, by its name in another folder: the first of .png and .PNG that is there; "" for none.
std::string mask_file(const std::string& without_ending);

// `masks`: of each picture; "": it has none, of which `wanted` tells where it was looked for. `note` stands beside that
// of the pictures.
std::unique_ptr<ImageSource> with_masks(std::unique_ptr<ImageSource> pictures, std::vector<std::string> masks,
                                        std::string wanted, std::string note);

}  // namespace sft
