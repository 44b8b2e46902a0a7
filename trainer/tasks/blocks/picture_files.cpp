#include "trainer/tasks/blocks/picture_files.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "data/images/mask.h"

namespace sft {

namespace fs = std::filesystem;

void write_pictures(const std::string& predictions, const std::string& directory, FileOps& files,
                    const std::function<PictureFile(const std::string& line)>& of) {
  files.make_directory(directory);
  std::set<std::string> taken;
  std::ifstream rows(predictions, std::ios::binary);
  int64_t number = 0;
  for (std::string line; std::getline(rows, line); ++number) {
    const PictureFile file = of(line);
    std::string name = is_image_file(file.image) ? fs::path(file.image).stem().string() : "image";
    const std::string stem = name;
    if (name == "image") name += concat("-", number + 1);
    for (int64_t next = number + 1; !taken.insert(name).second; ++next) name = concat(stem, "-", next);
    write_atomically(files, concat(directory, "/", name, ".png"), file.png);
  }
}

void write_drawn(const std::string& predictions, const std::string& directory, FileOps& files,
                 const DrawPrediction& draw) {
  write_pictures(predictions, directory, files, [&draw](const std::string& line) {
    const DrawnPrediction drawn = draw(line);
    return PictureFile{drawn.image, encode_image(drawn.picture)};
  });
}

Image predicted_picture(const std::string& image, const std::string& option) {
  if (!is_image_file(image) || !fs::is_regular_file(image))
    throw ConfigError(concat(option, ": ", in_quotes(image, 400),
                             " is no file of a picture to draw on; predict from files of pictures"));
  return decode_image(read_file(image), image).image;
}

}  // namespace sft
