#include "data/readers/foreign_labels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/elements.h"

namespace sft {
namespace {

using hdf5::Class;
using hdf5::DatasetLayout;

constexpr int64_t kMostLabels = 1'000'000;
constexpr int64_t kRowsAtOnce = 4096;
constexpr double kMostOff = 1e-4;  // of a sum of probabilities from 1

template <class Row>
bool is_distribution(Row row, Row end) {
  const bool all = std::all_of(row, end, [](double share) { return share >= 0 && share <= 1 + kMostOff; });
  return all && std::abs(std::accumulate(row, end, 0.0) - 1) <= kMostOff;
}

class LabelReader {
 public:
  LabelReader(const std::shared_ptr<const GuardedFile>& file, const DatasetLayout& dataset)
      : name_(file->name_of(dataset.name)), dataset_(dataset), content_(hdf5::open_bytes(file, dataset)) {}

  ForeignLabels ids() const {
    if (dataset_.type.kind != Class::integer)
      throw DataError(concat(name_, ": labels are ", dataset_.type.name, "; class ids must be integers"));
    ForeignLabels out;
    std::vector<int64_t> values;
    each_piece(1, [&](int64_t first, int64_t count) {
      hdf5::read_integers(*content_, dataset_.type, first, count, values);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t id = values[static_cast<size_t>(i)];
        if (id < 0 || id >= kMostLabels)
          throw DataError(concat(name_, ", row ", first + i, ": label ", id, " is outside 0 … ", kMostLabels - 1));
        out.ids.push_back(static_cast<int32_t>(id));
        out.width = std::max(out.width, id + 1);
      }
    });
    return out;
  }

  ForeignLabels matrix(std::optional<LabelForm> wanted) const {
    ForeignLabels out;
    out.width = dataset_.shape.size() == 2 ? dataset_.shape[1] : 1;
    int64_t not_one_hot = -1, not_flags = -1, not_shares = -1;  // the first row of that kind
    std::vector<double> numbers;
    each_piece(out.width, [&](int64_t first, int64_t count) {
      hdf5::read_reals(*content_, dataset_.type, first * out.width, count * out.width, numbers);
      for (int64_t i = 0; i < count; ++i) {
        const auto row = numbers.begin() + i * out.width, end = row + out.width;
        const auto ones = std::count(row, end, 1.0);
        const bool flags = ones + std::count(row, end, 0.0) == out.width;
        if (!flags && not_flags < 0) not_flags = first + i;
        if (!(flags && ones == 1) && not_one_hot < 0) not_one_hot = first + i;
        if (not_shares < 0 && !is_distribution(row, end)) not_shares = first + i;
        out.ids.push_back(static_cast<int32_t>(std::max_element(row, end) - row));
      }
    });
    const bool one_column = out.width == 1;
    const LabelForm found = not_one_hot < 0 && !one_column ? LabelForm::ids
                            : not_flags < 0 && !one_column ? LabelForm::flags
                                                           : LabelForm::numbers;
    out.form = wanted.value_or(found);
    out.one_hot = out.form == LabelForm::ids && not_one_hot < 0;
    if (out.form == LabelForm::ids && not_one_hot >= 0) {
      if (not_shares >= 0)
        refuse(
            not_shares,
            "one label a sample is wanted, so a row is one-hot, a single 1 among zeros, or has a probability of each "
            "class, which sum to 1, and this one has not");
      read_values(out);
    }
    if (out.form == LabelForm::flags && not_flags >= 0)
      refuse(not_flags, "sets of labels are wanted, rows of 0 and 1, and this one holds another number");
    if (out.form != LabelForm::ids) {
      out.ids = {};
      read_values(out);
    }
    return out;
  }

 private:
  // A second reading, so that a large one-hot matrix is never held.
  void read_values(ForeignLabels& out) const {
    std::vector<double> numbers;
    each_piece(out.width, [&](int64_t first, int64_t count) {
      hdf5::read_reals(*content_, dataset_.type, first * out.width, count * out.width, numbers);
      for (size_t i = 0; i < numbers.size(); ++i) {
        const auto value = static_cast<float>(numbers[i]);
        if (!std::isfinite(value))
          refuse(first + static_cast<int64_t>(i) / out.width,
                 concat(numbers[i], " is not a finite number of single precision"));
        out.values.push_back(value);
      }
    });
  }

  [[noreturn]] void refuse(int64_t row, const std::string& why) const {
    throw DataError(concat(name_, ", row ", row, ": ", why));
  }

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
                          int64_t num_samples, std::optional<LabelForm> form) {
  const std::string name = file->name_of(dataset.name);
  const std::vector<int64_t>& shape = dataset.shape;
  const bool is_vector = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
  const bool is_matrix = shape.size() == 2 && shape[1] >= 1 && shape[1] <= kMostLabels;
  if ((!is_vector && !is_matrix) || shape[0] != num_samples)
    throw DataError(concat(name, ": its shape is ", hdf5::shape_text(shape), ", and targets are [", num_samples,
                           "] or [", num_samples, ", classes or numbers]"));
  if (dataset.type.kind != Class::integer && dataset.type.kind != Class::floating)
    throw DataError(concat(name, ": labels are ", dataset.type.name, ", and numbers are read"));
  const bool is_integer = dataset.type.kind == Class::integer;
  const bool are_ids = is_vector && (form ? *form == LabelForm::ids : is_integer);
  const LabelReader reader(file, dataset);
  return are_ids ? reader.ids() : reader.matrix(form);
}

}  // namespace sft
