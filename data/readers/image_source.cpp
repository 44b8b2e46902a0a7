#include "data/readers/image_source.h"

#include <filesystem>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

Mask ImageSource::mask(int64_t i) const { throw BadRow(concat(place(i), ": has no mask")); }

RawBoxes ImageSource::boxes(int64_t i) const { throw BadRow(concat(place(i), ": has no boxes")); }

std::unique_ptr<ImageSource> open_image_source(const std::string& path, bool labels, const ImageColumns& columns) {
  if (std::filesystem::is_directory(path)) return labels ? open_class_folders(path) : open_image_files(path);
  if (path.ends_with(".bin")) return open_cifar(path);
  if (path.ends_with(".h5") || path.ends_with(".hdf5")) return open_hdf5_images(path, labels, columns);
  if (is_image_file(path) && !labels) return open_image_files(path);
  if (is_image_file(path))
    throw ConfigError(concat(path, ": a single image has no label; wanted a directory with one folder a class"));
  throw ConfigError(
      concat(path,
             ": wanted a directory of images, rows that name or hold images (.csv, .jsonl, .parquet, …), a "
             "CIFAR-10 batch (.bin) or HDF5 (.h5)"));
}

}  // namespace sft
