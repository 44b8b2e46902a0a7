#include "data/foreign_labels.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/elements.h"

namespace sft {
namespace {

using hdf5::Class;
using hdf5::DatasetLayout;

constexpr int64_t kMostLabels = 1'000'000;
constexpr int64_t kRowsAtOnce = 4096;

class Reader {
 public:
  Reader(const std::shared_ptr<const GuardedFile>& file, const DatasetLayout& dataset)
      : name_(file->name_of(dataset.name)), dataset_(dataset), content_(hdf5::open_bytes(file, dataset)) {}

  ForeignLabels ids() const {
    if (dataset_.type.kind != Class::integer)
      throw DataError(concat(name_, ": labels are ", dataset_.type.name,
                             "; class ids must be integers (targets of a regression are not read yet)"));
    ForeignLabels out;
    std::vector<int64_t> values;
    each_piece(1, [&](int64_t first, int64_t count) {
      hdf5::read_integers(*content_, dataset_.type, first, count, values);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t id = values[static_cast<size_t>(i)];
        if (id < 0 || id >= kMostLabels)
          throw DataError(concat(name_, ", row ", first + i, ": label ", id, " is outside 0 … ", kMostLabels - 1));
        out.ids.push_back(static_cast<int32_t>(id));
        out.num_labels = std::max(out.num_labels, id + 1);
      }
    });
    return out;
  }

  ForeignLabels one_hot() const {
    ForeignLabels out;
    out.one_hot = true;
    out.num_labels = dataset_.shape[1];
    std::vector<double> values;
    each_piece(out.num_labels, [&](int64_t first, int64_t count) {
      hdf5::read_reals(*content_, dataset_.type, first * out.num_labels, count * out.num_labels, values);
      for (int64_t i = 0; i < count; ++i) {
        const auto row = values.begin() + i * out.num_labels;
        const auto hot = std::find(row, row + out.num_labels, 1.0);
        const auto zeros = std::count(row, row + out.num_labels, 0.0);
        if (hot == row + out.num_labels || zeros != out.num_labels - 1)
          throw DataError(concat(name_, ", row ", first + i,
                                 ": a matrix of labels is read where each row is one-hot, a single 1 "
                                 "among zeros, and this one is not (several labels a sample are not read yet)"));
        out.ids.push_back(static_cast<int32_t>(hot - row));
      }
    });
    return out;
  }

 private:
  template <class Body>
  void each_piece(int64_t columns, Body body) const {
    const int64_t rows = dataset_.shape[0], at_once = std::max<int64_t>(1, kRowsAtOnce / columns);
    for (int64_t first = 0; first < rows; first += at_once) body(first, std::min(at_once, rows - first));
  }

  std::string name_;
  const DatasetLayout& dataset_;
  std::unique_ptr<hdf5::Bytes> content_;
};

}  // namespace

ForeignLabels read_labels(const std::shared_ptr<const GuardedFile>& file, const DatasetLayout& dataset,
                          int64_t num_samples) {
  const std::vector<int64_t>& shape = dataset.shape;
  const bool is_vector = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
  const bool is_matrix = shape.size() == 2 && shape[1] > 1 && shape[1] <= kMostLabels;
  if ((!is_vector && !is_matrix) || shape[0] != num_samples)
    throw DataError(concat(file->name_of(dataset.name), ": its shape is ", hdf5::shape_text(shape),
                           ", and labels are [", num_samples, "] or one-hot [", num_samples, ", classes]"));
  if (dataset.type.kind != Class::integer && dataset.type.kind != Class::floating)
    throw DataError(concat(file->name_of(dataset.name), ": labels are ", dataset.type.name, ", and integers are read"));
  const Reader reader(file, dataset);
  return is_vector ? reader.ids() : reader.one_hot();
}

}  // namespace sft
