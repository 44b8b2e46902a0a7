#include "data/samples/foreign_numbers.h"

#include <cmath>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

ForeignNumbers::ForeignNumbers(const std::shared_ptr<const GuardedFile>& file, const hdf5::DatasetLayout& dataset,
                               int64_t rows, const std::string& what)
    : type_(dataset.type), name_(file->name_of(dataset.name)) {
  const std::vector<int64_t>& shape = dataset.shape;
  if (type_.kind != hdf5::Class::floating || shape.size() != 2 || shape[0] != rows || shape[1] < 1)
    throw DataError(concat(name_, ": is ", type_.name, " ", hdf5::shape_text(shape), ", and ", what,
                           " are floating point numbers [", rows, ", classes]"));
  content_ = hdf5::open_bytes(file, dataset);
  width_ = shape[1];
}

void ForeignNumbers::append(int64_t row, Packed& out) const {
  thread_local std::vector<double> numbers;
  hdf5::read_reals(*content_, type_, row * width_, width_, numbers);
  auto* to = reinterpret_cast<float*>(out.grow(numbers.size()));
  for (const double number : numbers) {
    const auto narrow = static_cast<float>(number);
    if (!std::isfinite(narrow))
      throw DataError(concat(name_, ", row ", row, ": ", number, " is not a finite number of single precision"));
    *to++ = narrow;
  }
}

}  // namespace sft
