// Writes what is read of an image source for a Python script to compare.
//
//   image_samples PATH keep|square|cover|bicubic|cover_bicubic SIZE      (of a .parquet file: rows that hold images)
//   image_samples PATH crops|bicubic_crops|windows|narrow_windows SIZE
//   image_samples PATH mask|mask_cover|mask_file SIZE                    (of a mask; SIZE 0: as it is)
//
// Standard output: height and width as int64, then the pixels of all images. `crops`: of random resized crops of the
// first one, sixteen draws, top, left, height and width of the window as int64 and the pixels of each; `windows`: SIZE
// windows alone; `narrow_windows`: of ratios that seldom fit. Of a mask height and
// width, then its classes; `mask_file`: the PNG that is made of it. A refusal goes to standard error.
#include <iostream>
#include <utility>

#include "base/errors.h"
#include "base/file_ops.h"
#include "data/images/resize.h"
#include "data/loading/resized_crop.h"
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

void write(const void* bytes, size_t count) {
  std::cout.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
}

void write_crops(const sft::Image& image, int64_t draws, const sft::ResizedCrop& how, bool with_pixels) {
  for (int64_t draw = 0; draw < draws; ++draw) {
    const sft::Window window = sft::drawn_window(how, image.height, image.width, 7, draw);
    const int64_t numbers[] = {window.top, window.left, window.height, window.width};
    write(numbers, sizeof numbers);
    if (!with_pixels) continue;
    std::vector<uint8_t> pixels(static_cast<size_t>(how.size * how.size * sft::kChannels));
    const sft::Column column{
        .name = "pixels", .number = sft::Number::uint8, .shape = {image.height, image.width, sft::kChannels}};
    sft::crop_resized(reinterpret_cast<const std::byte*>(image.pixels.data()), column, how, 7, draw,
                      reinterpret_cast<std::byte*>(pixels.data()));
    write(pixels.data(), pixels.size());
  }
}

void write_mask(const std::string& path, const std::string& how, int64_t size) {
  sft::Mask mask = sft::decode_mask(sft::read_file(path), path);
  if (size > 0) mask = how == "mask_cover" ? sft::covering(mask, size) : sft::resized(mask, size, size);
  if (how == "mask_file") {
    const std::string bytes = sft::encode_mask(mask);
    return write(bytes.data(), bytes.size());
  }
  write(&mask.height, 8);
  write(&mask.width, 8);
  write(mask.classes.data(), mask.classes.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string how = argv[2];
  const int64_t size = std::stoll(argv[3]);
  try {
    if (how.ends_with("crops") || how.ends_with("windows")) {
      const bool with_pixels = how.ends_with("crops");
      sft::ResizedCrop crop{.size = with_pixels ? size : 8};
      if (how == "bicubic_crops") crop.interpolation = sft::Interpolation::bicubic;
      if (how == "narrow_windows") crop.scale = {0.9, 1.0}, crop.ratio = {0.2, 0.6};
      write_crops(sft::open_image_source(argv[1], false)->image(0).image, with_pixels ? 16 : size, crop, with_pixels);
      return 0;
    }
    if (how.starts_with("mask")) {
      write_mask(argv[1], how, size);
      return 0;
    }
    bool is_first = true;
    for_each_image(argv[1], [&](sft::Image image) {
      if (how == "square") image = sft::resized(image, size, size);
      if (how == "cover") image = sft::covering(image, size);
      if (how == "bicubic") image = sft::resized(image, size, size, sft::Interpolation::bicubic);
      if (how == "cover_bicubic") image = sft::covering(image, size, sft::Interpolation::bicubic);
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
