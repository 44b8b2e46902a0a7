// HDF5 that others wrote: uint8 pixels, and uint8 masks [N, height, width].
#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/bytes.h"
#include "data/hdf5/guard.h"
#include "data/readers/decorated_source.h"
#include "data/readers/image_source.h"

namespace sft {
namespace {

using hdf5::DatasetLayout;

class Hdf5Masks final : public DecoratedSource {
 public:
  Hdf5Masks(const std::string& path, const ImageColumns& columns)
      : DecoratedSource(open_hdf5_images(path, false, columns)), file_(open_guarded(path)) {
    const DatasetLayout& masks = find(columns.labels);
    name_ = file_->name_of(masks.name);
    if (masks.type.kind != hdf5::Class::integer || masks.type.bytes != 1 || masks.type.is_signed)
      throw DataError(concat(name_, ": is ", masks.type.name,
                             ", and uint8 belongs there: the number of a class a pixel, 255 for none"));
    if (masks.shape.size() != 3 || masks.shape[0] != size() || masks.shape[1] < 1 || masks.shape[2] < 1)
      throw DataError(concat(name_, ": its shape is ", hdf5::shape_text(masks.shape), ", and [", size(),
                             ", height, width] belongs there, a mask for each image"));
    height_ = masks.shape[1];
    width_ = masks.shape[2];
    content_ = hdf5::open_bytes(file_, masks);
  }

  Mask mask(int64_t i) const override {
    const int64_t places = height_ * width_;
    Mask mask{height_, width_, std::vector<uint8_t>(static_cast<size_t>(places)), concat(name_, ", image ", i)};
    content_->read(i * places, places, reinterpret_cast<std::byte*>(mask.classes.data()));
    return mask;
  }

 private:
  const DatasetLayout& find(const std::string& chosen) const {
    if (!chosen.empty()) return file_->dataset(chosen);
    for (const char* name : {"masks", "mask", "labels"})
      if (const DatasetLayout* found = file_->layout.dataset(name)) return *found;
    return file_->dataset("masks");
  }

  std::shared_ptr<const GuardedFile> file_;
  std::string name_;
  std::unique_ptr<hdf5::Bytes> content_;
  int64_t height_ = 0, width_ = 0;
};

}  // namespace

std::unique_ptr<ImageSource> open_hdf5_masks(const std::string& path, const ImageColumns& columns) {
  return std::make_unique<Hdf5Masks>(path, columns);
}

}  // namespace sft
