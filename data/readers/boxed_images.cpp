// Which kind of pictures with boxes stands at a path.
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/image_source.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr char kKinds[] =
    "COCO's .json, PASCAL VOC's directory (Annotations/*.xml) or a list in its ImageSets/Main, YOLO's images/ and "
    "labels/ or its data.yaml, or HDF5 (.h5) with pixels, boxes, box_labels and box_offsets";

}  // namespace

std::unique_ptr<ImageSource> open_boxed_images(const std::string& path, bool boxes, const std::string& split,
                                               const ImageColumns& columns) {
  if (path.ends_with(".h5") || path.ends_with(".hdf5"))
    return boxes ? open_hdf5_boxes(path, columns) : open_hdf5_images(path, false, columns);
  if (!boxes && is_image_file(path)) return open_image_files(path);
  if (boxes || !fs::is_directory(path))
    if (auto coco = open_coco(path, boxes)) return coco;
  if (auto voc = open_voc_boxes(path, boxes, split)) return voc;
  if (boxes || !fs::is_directory(path))
    if (auto yolo = open_yolo(path, boxes, split)) return yolo;
  if (!boxes && fs::is_directory(path)) return open_image_files(path);
  if (fs::is_directory(path)) throw DataError(concat(path, ": no boxes found; wanted ", kKinds));
  throw ConfigError(concat(path, ": wanted ", kKinds));
}

}  // namespace sft
