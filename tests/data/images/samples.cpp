// Writes what is read of an image source for a Python script to compare.
//
//   image_samples PATH keep|square|cover SIZE       (of a .parquet file: rows that hold images)
//
// Standard output: height and width as int64, then the pixels of all images. A refusal goes to standard error.
#include <iostream>
#include <utility>

#include "base/errors.h"
#include "data/images/resize.h"
#include "data/prepare/input.h"
#include "data/readers/image_source.h"

namespace {

// Calls visit(image) on all of them.
template <class Visit>
void for_each_image(const std::string& path, const Visit& visit) {
  if (!path.ends_with(".parquet")) {
    const auto source = sft::open_image_source(path, false);
    for (int64_t i = 0; i < source->size(); ++i) visit(source->image(i).image);
    return;
  }
  const sft::StringList files{path};
  const sft::DataConfig config;
  const auto input = sft::open_pictures_of_rows(files, false, config);
  if (input->files() != std::vector<sft::StringList>{files}) throw sft::DataError("it names other files");
  const int64_t pieces = input->cut(sft::alone());
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const auto reader = input->open(piece);
    for (sft::Row row; reader->next(row);) visit(row.picture->decoded().image);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string how = argv[2];
  const int64_t size = std::stoll(argv[3]);
  try {
    bool is_first = true;
    for_each_image(argv[1], [&](sft::Image image) {
      if (how == "square") image = sft::resized(image, size, size);
      if (how == "cover") image = sft::covering(image, size);
      if (std::exchange(is_first, false)) {
        std::cout.write(reinterpret_cast<const char*>(&image.height), 8);
        std::cout.write(reinterpret_cast<const char*>(&image.width), 8);
      }
      std::cout.write(reinterpret_cast<const char*>(image.pixels.data()),
                      static_cast<std::streamsize>(image.pixels.size()));
    });
  } catch (const sft::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
