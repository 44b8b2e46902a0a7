// Writes what is read of an image source for a Python script to compare.
//
//   image_samples PATH keep|square|cover SIZE
//
// Standard output: height and width as int64, then the pixels of all images. A refusal goes to standard error.
#include <iostream>

#include "base/errors.h"
#include "data/images/resize.h"
#include "data/readers/image_source.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string how = argv[2];
  const int64_t size = std::stoll(argv[3]);
  try {
    const auto source = sft::open_image_source(argv[1], false);
    for (int64_t i = 0; i < source->size(); ++i) {
      sft::Image image = source->image(i).image;
      if (how == "square") image = sft::resized(image, size, size);
      if (how == "cover") image = sft::covering(image, size);
      if (i == 0) {
        std::cout.write(reinterpret_cast<const char*>(&image.height), 8);
        std::cout.write(reinterpret_cast<const char*>(&image.width), 8);
      }
      std::cout.write(reinterpret_cast<const char*>(image.pixels.data()),
                      static_cast<std::streamsize>(image.pixels.size()));
    }
  } catch (const sft::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
