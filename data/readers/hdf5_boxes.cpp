// HDF5 that others wrote: uint8 pixels, and the boxes of all pictures one behind the other.
#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/bytes.h"
#include "data/hdf5/elements.h"
#include "data/hdf5/guard.h"
#include "data/readers/decorated_source.h"

namespace sft {
namespace {

using hdf5::Class;
using hdf5::DatasetLayout;

class Hdf5Boxes final : public DecoratedSource {
 public:
  Hdf5Boxes(const std::string& path, const ImageColumns& columns)
      : DecoratedSource(open_hdf5_images(path, false, columns)), file_(open_guarded(path)) {
    const DatasetLayout& boxes = file_->dataset(columns.labels.empty() ? "boxes" : columns.labels);
    name_ = file_->name_of(boxes.name);
    if (boxes.shape.size() != 2 || boxes.shape[1] != 4 ||
        (boxes.type.kind != Class::floating && boxes.type.kind != Class::integer))
      throw DataError(concat(name_, ": is ", boxes.type.name, " ", hdf5::shape_text(boxes.shape),
                             ", and numbers [boxes, 4] belong there: left, top, right, bottom in pixels"));
    const int64_t count = boxes.shape[0];
    if (count > 0) hdf5::read_reals(*hdf5::open_bytes(file_, boxes), boxes.type, 0, 4 * count, corners_);
    labels_ = integers("box_labels", count);
    if (file_->layout.dataset("box_crowd") != nullptr) crowds_ = integers("box_crowd", count);
    offsets_ = integers("box_offsets", size() + 1);
    const auto falls = std::ranges::adjacent_find(offsets_, std::ranges::greater());
    if (offsets_.front() != 0 || offsets_.back() != count || falls != offsets_.end())
      throw DataError(concat(file_->name_of("box_offsets"), ": wanted 0 first, ", count,
                             " (the number of boxes) last, and none below the one before: image i has the boxes "
                             "offsets[i] … offsets[i + 1] − 1"));
  }

  RawBoxes boxes(int64_t i) const override {
    RawBoxes out;
    for (auto b = static_cast<size_t>(offsets_[static_cast<size_t>(i)]);
         b < static_cast<size_t>(offsets_[static_cast<size_t>(i) + 1]); ++b) {
      RawBox box{.place = concat(name_, ", box ", b),
                 .label = std::to_string(labels_[b]),
                 .is_index = true,
                 .is_crowd = !crowds_.empty() && crowds_[b] != 0};
      if (labels_[b] < 0) throw BadRow(concat(box.place, ": is of class ", labels_[b], ", and 0, 1, … belongs there"));
      std::copy_n(corners_.begin() + static_cast<std::ptrdiff_t>(4 * b), 4, box.corners.begin());
      out.boxes.push_back(std::move(box));
    }
    return out;
  }

 private:
  std::vector<int64_t> integers(const char* name, int64_t count) const {
    const DatasetLayout& found = file_->dataset(name);
    if (found.type.kind != Class::integer || found.shape != std::vector<int64_t>{count})
      throw DataError(concat(file_->name_of(name), ": is ", found.type.name, " ", hdf5::shape_text(found.shape),
                             ", and integers [", count, "] belong there"));
    std::vector<int64_t> out;
    if (count > 0) hdf5::read_integers(*hdf5::open_bytes(file_, found), found.type, 0, count, out);
    return out;
  }

  std::shared_ptr<const GuardedFile> file_;
  std::string name_;
  std::vector<double> corners_;
  std::vector<int64_t> labels_, crowds_, offsets_;
};

}  // namespace

std::unique_ptr<ImageSource> open_hdf5_boxes(const std::string& path, const ImageColumns& columns) {
  return std::make_unique<Hdf5Boxes>(path, columns);
}

}  // namespace sft
