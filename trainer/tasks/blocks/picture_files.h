// Predictions of pictures as files of pictures.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/file_ops.h"
#include "data/images/image.h"
#include "data/images/letterbox.h"

namespace sft {

struct PictureFile {
  std::string image;  // the picture that is predicted; "": not known
  std::string png;    // what is written
};

// Writes a PNG for each line of `predictions` into a directory, called after its picture; those of one name in several
// folders have their line behind it.
void write_pictures(const std::string& predictions, const std::string& directory, FileOps& files,
                    const std::function<PictureFile(const std::string& line)>& of);

// A prediction laid over its picture, and which class has which colour.
struct DrawnPrediction {
  std::string image;
  Image picture;
  std::vector<std::pair<std::string, Colour>> legend = {};
};

// Draws lines of one file of predictions, from first to last: a class keeps the colour that it got. ConfigError where a
// prediction has no picture in a file.
using DrawPrediction = std::function<DrawnPrediction(const std::string& line)>;

// write_pictures() of what is drawn.
void write_drawn(const std::string& predictions, const std::string& directory, FileOps& files,
                 const DrawPrediction& draw);

// The picture that a prediction is of. ConfigError, naming the option that wants it, where it is no file.
Image predicted_picture(const std::string& image, const std::string& option);

}  // namespace sft
