// Images with labels, as people keep them: a folder a class, CIFAR-10's binary batches, HDF5 of others, single files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "data/images/mask.h"
#include "data/readers/boxes.h"
#include "data/readers/label.h"

namespace sft {

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual int64_t size() const = 0;
  virtual const std::vector<std::string>& files() const = 0;  // all that is read
  virtual std::string place(int64_t i) const = 0;             // for messages: the file, and which image of it
  virtual Label label(int64_t i) const = 0;
  virtual std::string bytes(int64_t i) const = 0;  // what the image is made from; equal for equal images
  virtual Decoded image(int64_t i) const = 0;      // BadRow where it is none
  virtual Mask mask(int64_t i) const;              // BadRow where there is no good one
  virtual RawBoxes boxes(int64_t i) const;         // BadRow likewise
  virtual std::vector<std::string> class_names() const { return {}; }  // that are told beside boxes, by id
  virtual std::string note() const { return ""; }                      // what a person should know of how it is read
};

// Which datasets of HDF5 are read; "": those that have one of the usual names.
struct ImageColumns {
  std::string pixels, labels;
};

// By what stands at `path`: a directory, .bin, .h5 or .hdf5, .jpg .jpeg .png .bmp .webp. Without `labels` a directory
// is any tree of images. ConfigError where it is none of these, DataError where its form is wrong.
std::unique_ptr<ImageSource> open_image_source(const std::string& path, bool labels, const ImageColumns& columns = {});

// The single kinds.
std::unique_ptr<ImageSource> open_class_folders(const std::string& path);  // one folder a class, in the order of names
std::unique_ptr<ImageSource> open_image_files(const std::string& path);    // one file, or all in a directory
// Files that `named_by` names, where one that is missing is a BadRow and not among files(); "": all of them are there.
std::unique_ptr<ImageSource> these_image_files(std::vector<std::string> files, const std::string& named_by = "");
std::unique_ptr<ImageSource> open_cifar(const std::string& path);  // names from batches.meta.txt beside it
std::unique_ptr<ImageSource> open_hdf5_images(const std::string& path, bool labels, const ImageColumns& columns);

// Pictures whose pixels have classes, in one of three forms:
//
// * images/ and masks/ (or annotations/), files of one stem in folders of one name; or images/training itself, as
// ADE20K
//   has it beside annotations/training;
// * PASCAL VOC's JPEGImages/ and SegmentationClass/, of the names in ImageSets/Segmentation/<list>.txt, which may be
// the
//   path itself; where the path is the root, `split` chooses the list;
// * HDF5: pixels as of open_image_source(), and uint8 [N, height, width] masks.
//
// Without `masks` pictures alone are wanted, and any tree of images will do. ConfigError and DataError as above.
std::unique_ptr<ImageSource> open_masked_images(const std::string& path, bool masks, const std::string& split,
                                                const ImageColumns& columns = {});

// Its single kinds. Folder by folder: `path` as of open_masked_images(); null where it is another kind.
std::unique_ptr<ImageSource> open_mask_folders(const std::string& path);
std::unique_ptr<ImageSource> open_voc(const std::string& path, bool masks, const std::string& split);
std::unique_ptr<ImageSource> open_hdf5_masks(const std::string& path, const ImageColumns& columns);

// Pictures with boxes. `split` chooses among the lists of PASCAL VOC, and of YOLO's .yaml.
//
// * COCO's .json (images, annotations, categories), or a folder with such a _annotations.coco.json;
// * Annotations/*.xml and JPEGImages/ (or images/, or beside each other): all, or the names in
// ImageSets/Main/<list>.txt;
// * YOLO's images/ and labels/, or images/train itself, with names of a data.yaml or classes.txt; or the .yaml;
// * HDF5: pixels as of open_image_source(), and boxes [M, 4], box_labels [M], box_offsets [N + 1].
//
// Without `boxes` pictures alone are wanted: any tree of images will do, a .json with images alone, a .yaml of folders
// without labels. ConfigError and DataError as above.
std::unique_ptr<ImageSource> open_boxed_images(const std::string& path, bool boxes, const std::string& split,
                                               const ImageColumns& columns = {});

// Its single kinds; null where the path is of another kind.
std::unique_ptr<ImageSource> open_coco(const std::string& path, bool boxes);
std::unique_ptr<ImageSource> open_voc_boxes(const std::string& path, bool boxes, const std::string& split);
std::unique_ptr<ImageSource> open_yolo(const std::string& path, bool boxes, const std::string& split);
std::unique_ptr<ImageSource> open_hdf5_boxes(const std::string& path, const ImageColumns& columns);

}  // namespace sft
