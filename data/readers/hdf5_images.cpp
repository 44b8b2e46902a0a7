// HDF5 that others wrote: one dataset of uint8 pixels, one of labels.
#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/bytes.h"
#include "data/hdf5/guard.h"
#include "data/readers/foreign_labels.h"
#include "data/readers/image_source.h"

namespace sft {
namespace {

using hdf5::DatasetLayout;

// `chosen`, or the first of `usual` names that is there. DataError, naming what there is.
const DatasetLayout& find(const GuardedFile& file, const std::string& chosen,
                          std::initializer_list<const char*> usual) {
  if (!chosen.empty()) return file.dataset(chosen);
  for (const char* name : usual) {
    if (const DatasetLayout* found = file.layout.dataset(name)) return *found;
  }
  return file.dataset(*usual.begin());
}

class Hdf5Images : public ImageSource {
 public:
  Hdf5Images(const std::string& path, bool labels, const ImageColumns& columns)
      : file_(open_guarded(path)), files_{path} {
    const DatasetLayout& pixels = find(*file_, columns.pixels, {"pixels", "images", "x", "data"});
    name_ = file_->name_of(pixels.name);
    read_shape(pixels);
    pixels_ = hdf5::open_bytes(file_, pixels);
    if (!labels) return;
    labels_ = read_labels(file_, find(*file_, columns.labels, {"labels", "label", "y"}), size_, LabelForm::ids);
  }

  int64_t size() const override { return size_; }
  const std::vector<std::string>& files() const override { return files_; }
  std::string place(int64_t i) const override { return concat(name_, ", image ", i); }
  Label label(int64_t i) const override { return {std::to_string(labels_.ids[static_cast<size_t>(i)]), true}; }

  std::string bytes(int64_t i) const override {
    std::string out(static_cast<size_t>(height_ * width_ * channels_), '\0');
    pixels_->read(i * static_cast<int64_t>(out.size()), static_cast<int64_t>(out.size()),
                  reinterpret_cast<std::byte*>(out.data()));
    return out;
  }

  Decoded image(int64_t i) const override {
    const std::string stored = bytes(i);
    const int64_t plane = height_ * width_;
    Decoded out{{height_, width_, std::vector<uint8_t>(static_cast<size_t>(plane * kChannels))},
                channels_ == 1 ? "grey" : ""};
    for (int64_t p = 0; p < plane; ++p) {
      for (int64_t c = 0; c < kChannels; ++c) {
        const int64_t from = channels_ == 1 ? p : channels_first_ ? c * plane + p : p * kChannels + c;
        out.image.pixels[static_cast<size_t>(p * kChannels + c)] =
            static_cast<uint8_t>(stored[static_cast<size_t>(from)]);
      }
    }
    return out;
  }

  std::string note() const override {
    return concat(name_, " is read as ", size_, channels_ == 1 ? " grey" : " RGB", " images of ", height_, " × ",
                  width_, channels_first_ ? ", planes first" : "");
  }

 private:
  // [N, H, W, 3], [N, 3, H, W], [N, H, W] or [N, H, W, 1].
  void read_shape(const DatasetLayout& pixels) {
    const auto& shape = pixels.shape;
    const bool whole =
        shape.size() == 3 || (shape.size() == 4 && (shape[3] == kChannels || shape[3] == 1 || shape[1] == kChannels));
    if (pixels.type.kind != hdf5::Class::integer || pixels.type.bytes != 1 || pixels.type.is_signed)
      throw DataError(concat(name_, ": is ", pixels.type.name, ", and uint8, 0 … 255, belongs there"));
    if (!whole || shape[1] < 1 || shape[2] < 1)
      throw DataError(concat(name_, ": its shape is ", hdf5::shape_text(shape),
                             ", and [N, height, width, 3], [N, 3, height, width] or [N, height, width] belongs there"));
    size_ = shape[0];
    channels_first_ = shape.size() == 4 && shape[3] != kChannels && shape[3] != 1;
    height_ = channels_first_ ? shape[2] : shape[1];
    width_ = channels_first_ ? shape[3] : shape[2];
    channels_ = shape.size() == 3 ? 1 : channels_first_ ? shape[1] : shape[3];
  }

  std::shared_ptr<const GuardedFile> file_;
  std::vector<std::string> files_;
  std::string name_;
  std::unique_ptr<hdf5::Bytes> pixels_;
  ForeignLabels labels_;
  int64_t size_ = 0, height_ = 0, width_ = 0, channels_ = 0;
  bool channels_first_ = false;
};

}  // namespace

std::unique_ptr<ImageSource> open_hdf5_images(const std::string& path, bool labels, const ImageColumns& columns) {
  return std::make_unique<Hdf5Images>(path, labels, columns);
}

}  // namespace sft
