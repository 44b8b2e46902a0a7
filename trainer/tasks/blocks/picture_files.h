// Predictions of pictures as files of pictures.
#pragma once

#include <functional>
#include <string>

#include "base/file_ops.h"
#include "data/images/image.h"

namespace sft {

struct PictureFile {
  std::string image;  // the picture that is predicted; "": not known
  std::string png;    // what is written
};

// Writes a PNG for each line of `predictions` into a directory, called after its picture; those of one name in several
// folders have their line behind it.
void write_pictures(const std::string& predictions, const std::string& directory, FileOps& files,
                    const std::function<PictureFile(const std::string& line)>& of);

// The picture that a prediction is of. ConfigError, naming the option that wants it, where it is no file.
Image predicted_picture(const std::string& image, const std::string& option);

}  // namespace sft
